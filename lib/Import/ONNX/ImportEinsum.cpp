// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Einsum taken apart: diagonals and sums of each input, then products of two
// inputs at a time, as matrices where something is summed.
#include "Parts.h"
#include "Registry.h"

#include "llvm/ADT/StringExtras.h"

namespace mlir::qopt::importer {

namespace {
struct Equation {
  std::vector<std::string> terms;
  std::string result;
};

/// A value whose axes have letters.
struct Operand {
  std::string name, letters;
};
} // namespace

static bool hasLetter(const std::string &term, char letter) {
  return term.find(letter) != std::string::npos;
}

static bool hasOneOfEach(const std::string &term) {
  return llvm::all_of(term, [&](char c) {
    return std::count(term.begin(), term.end(), c) == 1;
  });
}

/// `term` with the last `count` of `all` (digits) for its `...`.
static std::string expandEllipsis(const std::string &term, size_t count,
                                  const std::string &all) {
  size_t at = term.find("...");
  if (at == std::string::npos)
    return term;
  return term.substr(0, at) + all.substr(all.size() - count) +
         term.substr(at + 3);
}

/// `ab,bc->ac`, without blanks; without an arrow the axes of an ellipsis, then
/// the letters that stand once, sorted. An ellipsis becomes digits, the same
/// for axes that broadcast.
static Equation readEquation(NodeContext &n) {
  std::string text;
  for (char c : n.stringAttribute("equation", ""))
    if (c != ' ')
      text += c;
  auto [left, right] = StringRef(text).split("->");
  bool hasResult = text.find("->") != std::string::npos;
  Equation equation;
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  if (n.ok() && terms.size() != n.numInputs())
    n.invalid("the equation " + quoted(text) + " has " +
              std::to_string(terms.size()) + " terms");
  size_t longest = 0;
  SmallVector<size_t> hidden;
  for (auto [i, term] : llvm::enumerate(terms)) {
    size_t rank = n.shapeOf(i).size(), dots = term.contains("...") ? 3 : 0;
    hidden.push_back(
        dots && rank + dots > term.size() ? rank + dots - term.size() : 0);
    longest = std::max(longest, hidden.back());
  }
  if (!n.ok())
    return equation;
  const std::string digits = std::string("012345678").substr(0, longest);
  for (auto [term, count] : llvm::zip_equal(terms, hidden))
    equation.terms.push_back(expandEllipsis(term.str(), count, digits));
  std::string all = llvm::join(equation.terms, "");
  if (hasResult)
    equation.result = expandEllipsis(right.str(), longest, digits);
  else
    equation.result = digits;
  for (char c = 'A'; !hasResult && c <= 'z'; ++c)
    if (std::count(all.begin(), all.end(), c) == 1)
      equation.result += c;
  if (!llvm::all_of(all + equation.result,
                    [](char c) { return llvm::isAlnum(c); }) ||
      llvm::any_of(text, [](char c) { return llvm::isDigit(c); }) ||
      !hasOneOfEach(equation.result))
    n.unsupported("the equation " + quoted(text));
  for (char c : equation.result)
    if (n.ok() && !hasLetter(all, c))
      n.invalid("the result's " + quoted(std::string(1, c)) +
                " is in no input");
  return equation;
}

/// Axes of length 1 that another input has longer go.
static Operand dropBroadcast(Parts &parts, Operand operand, const Shape &shape,
                             const std::map<char, int64_t> &sizes) {
  Shape kept;
  std::string letters;
  for (auto [c, size] : llvm::zip_equal(operand.letters, shape))
    if (size == sizes.at(c)) {
      kept.push_back(size);
      letters += c;
    }
  if (letters == operand.letters)
    return operand;
  return {parts.add("Reshape", {operand.name, parts.list(kept)}), letters};
}

/// The size of each letter; those of an ellipsis broadcast.
static std::map<char, int64_t> readSizes(NodeContext &n,
                                         const Equation &equation) {
  std::map<char, int64_t> sizes;
  for (auto [i, term] : llvm::enumerate(equation.terms)) {
    Shape shape = n.shapeOf(i);
    if (n.ok() && shape.size() != term.size())
      n.invalid("term " + quoted(term) + " does not fit " + formatShape(shape));
    for (size_t axis = 0; n.ok() && axis != shape.size(); ++axis) {
      int64_t &size = sizes.emplace(term[axis], shape[axis]).first->second;
      if (size == shape[axis] ||
          (llvm::isDigit(term[axis]) && shape[axis] == 1))
        continue;
      if (!llvm::isDigit(term[axis]) || size != 1)
        n.unsupported("the sizes of " + quoted(std::string(1, term[axis])) +
                      " differ");
      size = shape[axis];
    }
  }
  return sizes;
}

/// `operand` with its axes in the order of `to`.
static Operand permute(Parts &parts, const Operand &operand,
                       const std::string &to) {
  if (operand.letters == to)
    return operand;
  Shape permutation;
  for (char c : to)
    permutation.push_back(int64_t(operand.letters.find(c)));
  std::string result = parts.add("Transpose", {operand.name});
  parts.setInts("perm", permutation);
  return {result, to};
}

/// The product of the sizes of `letters`.
static int64_t sizeOf(const std::map<char, int64_t> &sizes,
                      const std::string &letters) {
  int64_t size = 1;
  for (char c : letters)
    size *= sizes.at(c);
  return size;
}

static Shape shapeOf(const std::map<char, int64_t> &sizes,
                     const std::string &letters) {
  Shape shape;
  for (char c : letters)
    shape.push_back(sizes.at(c));
  return shape;
}

/// The diagonals of letters that stand more than once: both axes as one, of
/// which every (n + 1)-th element counts.
static Operand takeDiagonals(Parts &parts, Operand operand,
                             const std::map<char, int64_t> &sizes) {
  for (size_t i = 0; i < operand.letters.size(); ++i) {
    const char c = operand.letters[i];
    const size_t other = operand.letters.find(c, i + 1);
    if (other == std::string::npos)
      continue;
    std::string rest = operand.letters;
    rest.erase(other, 1);
    rest.erase(i, 1);
    Shape permutation;
    for (size_t axis = 0; axis < operand.letters.size(); ++axis)
      if (axis != i && axis != other)
        permutation.push_back(axis);
    permutation.append({int64_t(i), int64_t(other)});
    std::string turned = parts.add("Transpose", {operand.name});
    parts.setInts("perm", permutation);
    const int64_t size = sizes.at(c);
    Shape shape = shapeOf(sizes, rest);
    shape.push_back(size * size);
    std::string flat = parts.add("Reshape", {turned, parts.list(shape)});
    std::string line =
        parts.add("Slice",
                  {flat, parts.list({0}), parts.list({size * size}),
                   parts.list({int64_t(rest.size())}), parts.list({size + 1})},
                  /*opset=*/13);
    operand = {line, rest + c};
    i = size_t(-1);
  }
  return operand;
}

/// Sums over the letters that stand nowhere else.
static Operand sumAlone(Parts &parts, const Operand &operand,
                        const std::string &others) {
  Shape axes;
  std::string kept;
  for (auto [axis, c] : llvm::enumerate(operand.letters)) {
    if (hasLetter(others, c))
      kept += c;
    else
      axes.push_back(int64_t(axis));
  }
  if (axes.empty())
    return operand;
  std::string sum = parts.add("ReduceSum", {operand.name}, /*opset=*/11);
  parts.setInts("axes", axes);
  parts.setInt("keepdims", 0);
  return {sum, kept};
}

/// The product of both, summed over the letters that are not `needed`.
static Operand contract(Parts &parts, Operand a, Operand b,
                        const std::string &needed,
                        const std::map<char, int64_t> &sizes) {
  a = sumAlone(parts, a, b.letters + needed);
  b = sumAlone(parts, b, a.letters + needed);
  // Letters of the batch, of one side alone, and those that are summed.
  std::string batch, left, right, inner;
  for (char c : needed) {
    bool inA = hasLetter(a.letters, c), inB = hasLetter(b.letters, c);
    if (inA || inB)
      (!inB ? left : !inA ? right : batch) += c;
  }
  for (char c : a.letters)
    if (!hasLetter(needed, c))
      inner += c;
  a = permute(parts, a, batch + left + inner);
  b = permute(parts, b, batch + inner + right);
  const std::string letters = batch + left + right;
  if (inner.empty()) {
    // Nothing is summed: `a` gets an axis of 1 for each of `b` alone.
    Shape shape = shapeOf(sizes, batch);
    shape.append(left.size(), 1);
    llvm::append_range(shape, shapeOf(sizes, right));
    if (!left.empty() && !batch.empty())
      b.name = parts.add("Reshape", {b.name, parts.list(shape)});
    shape = shapeOf(sizes, batch + left);
    shape.append(right.size(), 1);
    if (!right.empty())
      a.name = parts.add("Reshape", {a.name, parts.list(shape)});
    return {parts.add("Mul", {a.name, b.name}), letters};
  }
  Shape rows, columns;
  if (!batch.empty())
    rows = columns = {sizeOf(sizes, batch)};
  rows.append({sizeOf(sizes, left), sizeOf(sizes, inner)});
  columns.append({sizeOf(sizes, inner), sizeOf(sizes, right)});
  std::string x = parts.add("Reshape", {a.name, parts.list(rows)});
  std::string y = parts.add("Reshape", {b.name, parts.list(columns)});
  std::string product = parts.add("MatMul", {x, y});
  Shape whole = shapeOf(sizes, letters);
  return {parts.add("Reshape", {product, parts.list(whole)}), letters};
}

/// The letters of `text`, each once.
static std::string uniqueLetters(const std::string &text) {
  std::string result;
  for (char c : text)
    if (!hasLetter(result, c))
      result += c;
  return result;
}

void importEinsum(NodeContext &n) {
  n.expectInputs(1, 26);
  Equation equation = readEquation(n);
  std::map<char, int64_t> sizes = readSizes(n, equation);
  if (!n.ok())
    return;
  Parts parts(n);
  Operand product;
  for (auto [i, term] : llvm::enumerate(equation.terms)) {
    Operand operand =
        dropBroadcast(parts, {parts.input(i), term}, n.shapeOf(i), sizes);
    operand = takeDiagonals(parts, operand, sizes);
    std::string needed = equation.result;
    for (const std::string &later : ArrayRef(equation.terms).drop_front(i + 1))
      needed += later;
    product = i == 0 ? operand
                     : contract(parts, product, operand, uniqueLetters(needed),
                                sizes);
  }
  product = sumAlone(parts, product, equation.result);
  product = permute(parts, product, equation.result);
  if (product.name == parts.input(0))
    return n.forward(0);
  parts.finish();
}

} // namespace mlir::qopt::importer
