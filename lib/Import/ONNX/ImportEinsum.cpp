// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Einsum of two tensors as a matrix product between transposes, of one as a
// transpose.
#include "Parts.h"
#include "Registry.h"

#include "llvm/ADT/StringExtras.h"

namespace mlir::qopt::importer {

namespace {
struct Equation {
  std::vector<std::string> terms;
  std::string result;
};
} // namespace

static bool hasLetter(const std::string &term, char letter) {
  return term.find(letter) != std::string::npos;
}

/// `ab,bc->ac`, without blanks; without an arrow the letters that stand once,
/// sorted.
static Equation readEquation(NodeContext &n) {
  Equation equation;
  std::string text;
  for (char c : n.stringAttribute("equation", ""))
    if (c != ' ')
      text += c;
  size_t arrow = text.find("->");
  SmallVector<StringRef> terms;
  StringRef(text).take_front(arrow).split(terms, ',');
  for (StringRef term : terms)
    equation.terms.push_back(term.str());
  std::string all = StringRef(text).take_front(arrow).str();
  if (arrow != std::string::npos)
    equation.result = text.substr(arrow + 2);
  else
    for (char c = 'A'; c <= 'z'; ++c)
      if (std::count(all.begin(), all.end(), c) == 1)
        equation.result += c;
  auto isPlain = [](const std::string &term) {
    return llvm::all_of(term, [&](char c) {
      return llvm::isAlpha(c) && std::count(term.begin(), term.end(), c) == 1;
    });
  };
  if (!llvm::all_of(equation.terms, isPlain) || !isPlain(equation.result) ||
      equation.terms.size() > 2)
    n.unsupported("the equation " + quoted(text));
  if (n.ok() && equation.terms.size() != n.numInputs())
    n.invalid("the equation " + quoted(text) + " has " +
              std::to_string(equation.terms.size()) + " terms");
  for (char c : equation.result)
    if (n.ok() && !hasLetter(all, c))
      n.invalid("the result's " + quoted(std::string(1, c)) +
                " is in no input");
  return equation;
}

/// The size of each letter.
static std::map<char, int64_t> readSizes(NodeContext &n,
                                         const Equation &equation) {
  std::map<char, int64_t> sizes;
  for (auto [i, term] : llvm::enumerate(equation.terms)) {
    Shape shape = n.shapeOf(i);
    if (n.ok() && shape.size() != term.size())
      n.invalid("term " + quoted(term) + " does not fit " + formatShape(shape));
    for (size_t axis = 0; n.ok() && axis != shape.size(); ++axis) {
      auto [entry, isNew] = sizes.emplace(term[axis], shape[axis]);
      if (!isNew && entry->second != shape[axis])
        n.unsupported("the sizes of " + quoted(std::string(1, term[axis])) +
                      " differ");
    }
  }
  return sizes;
}

/// The value `name` with axes `from` in the order of `to`.
static std::string permute(Parts &parts, const std::string &name,
                           const std::string &from, const std::string &to) {
  if (from == to)
    return name;
  Shape permutation;
  for (char c : to)
    permutation.push_back(int64_t(from.find(c)));
  std::string result = parts.add("Transpose", {name});
  parts.setInts("perm", permutation);
  return result;
}

/// Sums over the letters of `term` that stand nowhere else.
static std::string sumAlone(Parts &parts, const std::string &name,
                            std::string &term, const std::string &others) {
  Shape axes;
  std::string kept;
  for (auto [axis, c] : llvm::enumerate(term)) {
    if (hasLetter(others, c))
      kept += c;
    else
      axes.push_back(int64_t(axis));
  }
  if (axes.empty())
    return name;
  term = kept;
  std::string sum = parts.add("ReduceSum", {name}, /*opset=*/11);
  parts.setInts("axes", axes);
  parts.setInt("keepdims", 0);
  return sum;
}

void importEinsum(NodeContext &n) {
  n.expectInputs(1, 2);
  Equation equation = readEquation(n);
  std::map<char, int64_t> sizes = readSizes(n, equation);
  if (!n.ok())
    return;
  bool isOne = equation.terms.size() == 1;
  const std::string &result = equation.result;
  std::string a = equation.terms.front();
  std::string b = isOne ? std::string() : equation.terms.back();
  Parts parts(n);
  std::string x = sumAlone(parts, parts.input(0), a, b + result);
  if (isOne && permute(parts, x, a, result) == parts.input(0))
    return n.forward(0);
  if (isOne)
    return parts.finish();
  std::string y = sumAlone(parts, parts.input(1), b, a + result);
  // Letters of the batch, of one side alone, and those that are summed.
  std::string batch, left, right, inner;
  for (char c : result)
    (!hasLetter(b, c) ? left : !hasLetter(a, c) ? right : batch) += c;
  for (char c : a)
    if (!hasLetter(result, c))
      inner += c;
  auto sizeOf = [&](const std::string &letters) {
    int64_t size = 1;
    for (char c : letters)
      size *= sizes[c];
    return size;
  };
  Shape rows, columns, whole;
  if (!batch.empty())
    rows = columns = {sizeOf(batch)};
  rows.append({sizeOf(left), sizeOf(inner)});
  columns.append({sizeOf(inner), sizeOf(right)});
  x = permute(parts, x, a, batch + left + inner);
  x = parts.add("Reshape", {x, parts.list(rows)});
  y = permute(parts, y, b, batch + inner + right);
  y = parts.add("Reshape", {y, parts.list(columns)});
  std::string product = parts.add("MatMul", {x, y});
  std::string order = batch + left + right;
  for (char c : order)
    whole.push_back(sizes[c]);
  product = parts.add("Reshape", {product, parts.list(whole)});
  permute(parts, product, order, result);
  parts.finish();
}

} // namespace mlir::qopt::importer
