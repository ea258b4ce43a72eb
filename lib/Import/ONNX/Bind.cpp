// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Binds dimensions of graph inputs.
#include "Bind.h"

#include "qopt/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::importer {

namespace {

class Binder {
public:
  Binder(const Graph &graph, ImportOptions &options)
      : graph(graph), options(options), bound(graph.inputs.size()) {}

  Expected<std::vector<Shape>> run();

private:
  llvm::Error bindFlags();
  llvm::Error bindFlag(StringRef name, ArrayRef<int64_t> shape);
  void noteOtherSizes(const GraphInput &input, ArrayRef<int64_t> shape);
  llvm::Error bindSymbol(const std::string &symbol, int64_t size);
  llvm::Error bindLeading();
  Expected<Shape> resolve(const GraphInput &input, size_t index);

  const Graph &graph;
  ImportOptions &options;
  /// What `--shape` says, by input.
  std::vector<std::optional<Shape>> bound;
  std::map<std::string, int64_t> symbols;
};

} // namespace

/// `?x3x?` as the model writes it, or for a flag, with 1 for the batch and
/// names in place of other open dimensions.
static std::string describe(const GraphInput &input, bool asFlag) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (auto [i, dim] : llvm::enumerate(input.dimensions)) {
    os << (i ? "x" : "");
    if (dim.size >= 0)
      os << dim.size;
    else if (!asFlag)
      os << "?";
    else if (i == 0)
      os << "1";
    else if (dim.symbol.empty() || dim.symbol.find('x') != std::string::npos)
      os << "<D" << i << ">";
    else
      os << "<" << StringRef(quoted(dim.symbol)).drop_front().drop_back()
         << ">";
  }
  return text.empty() ? "scalar" : text;
}

static llvm::Error contradiction(const GraphInput &input,
                                 ArrayRef<int64_t> shape) {
  return makeError(121,
                   "--shape " + input.name + "=" + formatShape(shape) +
                       " does not fit input " + quoted(input.name),
                   {"the model says " + input.name + ": " +
                    describe(input, /*asFlag=*/false)});
}

llvm::Error Binder::bindSymbol(const std::string &symbol, int64_t size) {
  if (symbol.empty())
    return llvm::Error::success();
  auto [entry, added] = symbols.try_emplace(symbol, size);
  if (!added && entry->second != size)
    return makeError(121, "dimension " + quoted(symbol) + " is bound to both " +
                              std::to_string(entry->second) + " and " +
                              std::to_string(size));
  return llvm::Error::success();
}

/// Exporters write the sizes of their example; the operators decide whether
/// others go.
void Binder::noteOtherSizes(const GraphInput &input, ArrayRef<int64_t> shape) {
  for (auto [dimension, size] : llvm::zip(input.dimensions, shape))
    if (dimension.size >= 0 && dimension.size != size) {
      options.notes.push_back("the model says " + input.name + ": " +
                              describe(input, /*asFlag=*/false) +
                              "; compiling for " + formatShape(shape));
      return;
    }
}

llvm::Error Binder::bindFlag(StringRef name, ArrayRef<int64_t> shape) {
  for (auto [i, input] : llvm::enumerate(graph.inputs)) {
    bool unnamed = name.empty() && graph.inputs.size() == 1;
    if (input.name != name && !unnamed)
      continue;
    if (llvm::any_of(shape, [](int64_t size) { return size <= 0; }) ||
        (input.hasShape && shape.size() != input.dimensions.size()))
      return contradiction(input, shape);
    noteOtherSizes(input, shape);
    for (size_t d = 0; input.hasShape && d != shape.size(); ++d)
      if (auto error = bindSymbol(input.dimensions[d].symbol, shape[d]))
        return error;
    bound[i] = Shape(shape);
    return llvm::Error::success();
  }
  std::string names;
  for (const GraphInput &input : graph.inputs)
    names += (names.empty() ? "" : ", ") + quoted(input.name);
  return makeError(120,
                   "--shape names input " + quoted(name) +
                       ", which the model does not have",
                   {"its inputs are " + names});
}

llvm::Error Binder::bindFlags() {
  for (const auto &[name, shape] : options.shapes)
    if (auto error = bindFlag(name, shape))
      return error;
  return llvm::Error::success();
}

/// An open leading dimension is the batch.
llvm::Error Binder::bindLeading() {
  for (auto [i, input] : llvm::enumerate(graph.inputs)) {
    if (bound[i] || input.dimensions.empty())
      continue;
    const Dimension &leading = input.dimensions.front();
    if (leading.size >= 0 || symbols.count(leading.symbol))
      continue;
    if (auto error = bindSymbol(leading.symbol, 1))
      return error;
    std::string name =
        leading.symbol.empty() ? "" : " (" + quoted(leading.symbol) + ")";
    options.notes.push_back("dimension 0" + name + " of input " +
                            quoted(input.name) +
                            " is not bound: compiling for 1");
  }
  return llvm::Error::success();
}

Expected<Shape> Binder::resolve(const GraphInput &input, size_t index) {
  if (bound[index])
    return *bound[index];
  // Refused by its type, with everything else that is not supported.
  if (!input.isFloat && !input.hasShape)
    return Shape();
  if (!input.hasShape)
    return makeError(204, "input " + quoted(input.name) + " has no shape", {},
                     "add --shape " + input.name + "=<shape>, for example " +
                         "--shape " + input.name + "=1x3x224x224");
  Shape shape;
  std::string open;
  for (auto [d, dim] : llvm::enumerate(input.dimensions)) {
    auto symbol = symbols.find(dim.symbol);
    bool known = !dim.symbol.empty() && symbol != symbols.end();
    shape.push_back(dim.size >= 0 ? dim.size : known ? symbol->second : 1);
    if (dim.size < 0 && !known && d != 0) {
      open += (open.empty() ? "" : ", ") + std::to_string(d);
      open += dim.symbol.empty() ? "" : " (" + quoted(dim.symbol) + ")";
    }
  }
  if (!open.empty())
    return makeError(204,
                     "input " + quoted(input.name) +
                         " has dimensions that are not bound: " + open,
                     {"the model says " + input.name + ": " +
                      describe(input, /*asFlag=*/false)},
                     "add --shape " + input.name + "=" +
                         describe(input, /*asFlag=*/true));
  return shape;
}

Expected<std::vector<Shape>> Binder::run() {
  if (auto error = bindFlags())
    return error;
  if (auto error = bindLeading())
    return error;
  std::vector<Shape> shapes;
  llvm::Error errors = llvm::Error::success();
  for (auto [i, input] : llvm::enumerate(graph.inputs)) {
    auto shape = resolve(input, i);
    if (!shape) {
      errors = llvm::joinErrors(std::move(errors), shape.takeError());
      continue;
    }
    std::optional<int64_t> count = countElements(*shape);
    if (!count || shape->size() > kMaxRank)
      errors = llvm::joinErrors(
          std::move(errors),
          makeError(209, "input " + quoted(input.name) + " of shape " +
                             formatShape(*shape) +
                             " exceeds 2^31 - 1 elements or rank " +
                             std::to_string(kMaxRank)));
    shapes.push_back(std::move(*shape));
  }
  if (errors)
    return std::move(errors);
  return shapes;
}

Expected<std::vector<Shape>> bindShapes(const Graph &graph,
                                        ImportOptions &options) {
  return Binder(graph, options).run();
}

} // namespace mlir::qopt::importer
