// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Figures of a model: what it declares, and what each node costs or lacks.
#include "qopt/Import/ONNX/Inspect.h"

#include "Bind.h"
#include "Importer.h"
#include "qopt/Support/Error.h"

namespace mlir::qopt::importer {

int64_t ModelFigures::countRefused() const {
  return refusals.size() + llvm::count_if(nodes, [](const NodeFigures &node) {
           return node.status == NodeFigures::Status::Refused;
         });
}

/// What the model itself says of a value.
static ValueFigures declared(const std::string &name, const GraphInput *value) {
  ValueFigures figures;
  figures.name = name;
  figures.type = value ? value->type : "unknown";
  if (!value || !value->hasShape)
    return figures;
  figures.hasShape = true;
  for (const Dimension &dim : value->dimensions)
    figures.shape.push_back(dim.size >= 0        ? std::to_string(dim.size)
                            : dim.symbol.empty() ? "?"
                                                 : dim.symbol);
  return figures;
}

static ValueFigures declaredIn(const Graph &graph, const std::string &name) {
  for (const GraphInput &input : graph.inputs)
    if (input.name == name)
      return declared(name, &input);
  auto found = graph.declared.find(name);
  return declared(name,
                  found == graph.declared.end() ? nullptr : &found->second);
}

static void setShape(ValueFigures &figures, ArrayRef<int64_t> shape) {
  figures.hasShape = true;
  figures.shape.clear();
  for (int64_t size : shape)
    figures.shape.push_back(std::to_string(size));
}

ValueFigures Importer::figuresOf(const std::string &name) {
  ValueFigures figures = declaredIn(graph, name);
  const Entry entry = state.entries.lookup(name);
  if (entry.kind == Entry::Kind::Activation && entry.value) {
    figures.type = "float32";
    setShape(figures, NodeContext::shapeOf(entry.value));
  } else if (entry.kind == Entry::Kind::Constant) {
    if (figures.type == "unknown")
      figures.type = entry.constant->element == Element::Float ? "float32"
                     : entry.constant->element == Element::Int ? "int64"
                                                               : "bool";
    setShape(figures, entry.constant->shape);
  }
  return figures;
}

/// Multiply-accumulates of one op: each result element takes one for each
/// weight of its output channel.
static uint64_t macsOf(Operation &op) {
  if (auto product = dyn_cast<MatMulOp>(op))
    return uint64_t(product.getResult().getType().getNumElements()) *
           uint64_t(product.getLhs().getType().getShape().back());
  auto quantizable = dyn_cast<QuantizableOpInterface>(op);
  OpOperand *weight = quantizable ? quantizable.getWeightOperand() : nullptr;
  if (!weight || op.getNumResults() != 1)
    return 0;
  auto type = cast<RankedTensorType>(weight->get().getType());
  auto result = cast<RankedTensorType>(op.getResult(0).getType());
  int64_t axis = quantizable.getWeightChannelAxis();
  if (axis >= type.getRank() || type.getDimSize(axis) == 0)
    return 0;
  return uint64_t(result.getNumElements()) *
         uint64_t(type.getNumElements() / type.getDimSize(axis));
}

/// Takes code and text of the first error.
static void takeError(llvm::Error error, int &code, std::string &why) {
  llvm::handleAllErrors(
      std::move(error),
      [&](const QoptError &refusal) {
        if (code == 0) {
          code = refusal.getCode();
          why = refusal.getMessage().str();
        }
      },
      [&](const llvm::ErrorInfoBase &other) {
        code = 700;
        why = other.message();
      });
}

static NodeFigures describe(const Node &node) {
  NodeFigures entry;
  entry.name = node.name;
  entry.opType = operatorName(node);
  for (const std::string &input : node.inputs)
    if (!input.empty())
      entry.inputs.push_back(input);
  return entry;
}

void Importer::addFigures(const Node &node, Operation *before, bool ok,
                          llvm::Error error) {
  NodeFigures entry = describe(node);
  for (const std::string &output : node.outputs)
    if (!output.empty())
      entry.outputs.push_back(figuresOf(output));
  bool refused = bool(error);
  takeError(std::move(error), entry.code, entry.why);
  const Entry result =
      node.outputs.empty() ? Entry() : state.entries.lookup(node.outputs[0]);
  using Status = NodeFigures::Status;
  entry.status = refused                                ? Status::Refused
                 : !ok                                  ? Status::Unchecked
                 : result.kind == Entry::Kind::Constant ? Status::Folded
                 : result.kind == Entry::Kind::Unknown  ? Status::Unchecked
                                                        : Status::Computed;
  // The nodes that an If or Loop runs have figures of their own.
  if (ok && !isControl(node)) {
    Block *block = builder.getInsertionBlock();
    auto op = before ? std::next(before->getIterator()) : block->begin();
    for (; op != block->end(); ++op) {
      entry.macs += macsOf(*op);
      if (auto constant = dyn_cast<ConstantOp>(*op))
        entry.parameters +=
            cast<RankedTensorType>(constant.getType()).getNumElements();
    }
  }
  figures->nodes.push_back(std::move(entry));
}

void Importer::mergeFigures(const Node &node, size_t first) {
  using Status = NodeFigures::Status;
  NodeFigures entry = describe(node);
  for (const std::string &output : node.outputs)
    if (!output.empty())
      entry.outputs.push_back(figuresOf(output));
  for (size_t i = first; i != figures->nodes.size(); ++i) {
    const NodeFigures &part = figures->nodes[i];
    entry.macs += part.macs;
    entry.parameters += part.parameters;
    if (entry.status != Status::Refused)
      entry.status = part.status;
    if (entry.code == 0) {
      entry.code = part.code;
      entry.why = part.why;
    }
  }
  figures->nodes.resize(first);
  figures->nodes.push_back(std::move(entry));
}

void Importer::addOutputFigures() {
  figures->outputs.clear();
  for (const std::string &name : graph.outputs)
    figures->outputs.push_back(figuresOf(name));
}

/// What the file says before any shape is bound.
static ModelFigures describe(const Graph &graph) {
  ModelFigures figures;
  figures.irVersion = graph.irVersion;
  figures.opset = graph.opset;
  figures.opsets = graph.opsets;
  figures.producer = graph.producer;
  figures.hash = graph.hash;
  figures.bytes = graph.bytes;
  figures.unusedNodes = graph.unusedNodes;
  for (const GraphInput &input : graph.inputs)
    figures.inputs.push_back(declared(input.name, &input));
  for (const std::string &output : graph.outputs)
    figures.outputs.push_back(declaredIn(graph, output));
  return figures;
}

/// Without shapes only the operators' names can be checked.
static void describeUnbound(const Graph &graph, ArrayRef<Node> nodes,
                            ModelFigures &figures) {
  for (const Node &node : nodes) {
    NodeFigures entry = describe(node);
    for (const std::string &output : node.outputs)
      if (!output.empty())
        entry.outputs.push_back(declaredIn(graph, output));
    if (!lookupOp(operatorName(node), node.opset)) {
      entry.status = NodeFigures::Status::Refused;
      takeError(unknownOperator(node), entry.code, entry.why);
    }
    figures.nodes.push_back(std::move(entry));
    for (const auto &[name, subgraph] : node.graphs)
      describeUnbound(graph, subgraph->nodes, figures);
  }
}

/// Open dimensions are no refusal here: their text goes to `figures`.
static llvm::Error takeOpenShapes(llvm::Error error, ModelFigures &figures) {
  return llvm::handleErrors(
      std::move(error), [&](std::unique_ptr<QoptError> open) -> llvm::Error {
        if (open->getCode() != 204)
          return llvm::Error(std::move(open));
        llvm::raw_string_ostream os(figures.openShapes);
        open->log(os);
        return llvm::Error::success();
      });
}

Expected<ModelFigures> inspectModel(StringRef path, MLIRContext &context,
                                    ImportOptions &options) {
  auto graph = readModelFile(path, readOptionsFor(path, options));
  if (!graph)
    return graph.takeError();
  context.loadDialect<func::FuncDialect, QoptDialect>();
  takeNotes(*graph, options);
  ModelFigures figures = describe(*graph);
  auto shapes = bindShapes(*graph, options);
  if (!shapes) {
    if (auto error = takeOpenShapes(shapes.takeError(), figures))
      return std::move(error);
    describeUnbound(*graph, graph->nodes, figures);
    figures.notes = options.notes;
    return figures;
  }
  for (auto [input, shape] : llvm::zip_equal(figures.inputs, *shapes))
    setShape(input, shape);
  auto module = Importer(*graph, context, options, &figures).run(*shapes);
  if (!module)
    llvm::handleAllErrors(
        module.takeError(),
        [&](const QoptError &refusal) {
          figures.refusals.push_back(
              {refusal.getCode(), refusal.getMessage().str()});
        },
        [&](const llvm::ErrorInfoBase &other) {
          figures.refusals.push_back({700, other.message()});
        });
  figures.notes = options.notes;
  return figures;
}

} // namespace mlir::qopt::importer
