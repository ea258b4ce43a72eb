// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer's driver: reads, binds shapes, imports node by node, collects
// every refusal, and returns a verified module or all of them.
#include "Importer.h"

#include "Bind.h"
#include "Quantized.h"
#include "Reader.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/Path.h"
#include <cmath>

namespace mlir::qopt::importer {

void Importer::report(llvm::Error error) {
  errors = llvm::joinErrors(std::move(errors), std::move(error));
}

/// `@main` with one argument for each input, its block empty.
func::FuncOp Importer::createFunction(ArrayRef<Shape> shapes) {
  SmallVector<Type> types;
  for (const Shape &shape : shapes)
    types.push_back(RankedTensorType::get(shape, builder.getF32Type()));
  auto function = func::FuncOp::create(builder, builder.getUnknownLoc(), "main",
                                       builder.getFunctionType(types, {}));
  Block *block = function.addEntryBlock();
  for (auto [i, input] : llvm::enumerate(graph.inputs)) {
    StringAttr name = builder.getStringAttr(input.name);
    function.setArgAttr(i, "qopt.name", name);
    block->getArgument(i).setLoc(NameLoc::get(name));
    state.valueNames.insert(input.name);
    Entry entry;
    entry.dependsOnData = true;
    if (QuantizationRef integers = getInputQuantization(input.type)) {
      entry.kind = Entry::Kind::Activation;
      entry.value = block->getArgument(i);
      entry.quantization = std::move(integers);
      function.setArgAttr(i, "qopt.type", builder.getStringAttr(input.type));
    } else if (input.isFloat) {
      entry.kind = Entry::Kind::Activation;
      entry.value = block->getArgument(i);
      if (input.type != "float32")
        options.notes.push_back("input " + quoted(input.name) + " has type " +
                                input.type + ": computing in float32");
    } else {
      report(makeError(302,
                       "input " + quoted(input.name) + " of type " +
                           input.type + " is not supported",
                       {"supported: float32, float16, bfloat16, float64; int8, "
                        "uint8, int16, uint16 where a quantized operator reads "
                        "them"},
                       "an input that is always the same, a length or a shape: "
                       "--input " +
                           input.name + ":value=<number>[,...]"));
    }
    state.entries[input.name] = entry;
  }
  builder.setInsertionPointToStart(block);
  return function;
}

/// Why an operator is not in the table, as a note.
static std::vector<std::string> explain(const Node &node) {
  std::string opsets;
  for (const OpEntry &entry : getOpTable())
    if (node.domain.empty() && node.opType == entry.opType && opsets.empty())
      opsets = "supported from opset " + std::to_string(entry.since) + " on";
  return opsets.empty() ? std::vector<std::string>()
                        : std::vector<std::string>{opsets};
}

std::string operatorName(const Node &node) {
  return node.domain.empty() ? node.opType : node.domain + "." + node.opType;
}

llvm::Error unknownOperator(const Node &node, StringRef inside) {
  std::vector<std::string> notes = explain(node);
  if (!inside.empty())
    notes.push_back("it is part of node " + quoted(inside));
  return makeError(301,
                   "operator " + quoted(operatorName(node)) + " (node " +
                       quoted(node.name) + ", opset " +
                       std::to_string(node.opset) + ") is not supported",
                   std::move(notes));
}

void Importer::importNode(const Node &node) {
  Block *block = builder.getInsertionBlock();
  Operation *before = block->empty() ? nullptr : &block->back();
  NodeContext n(state, node);
  const OpEntry *entry = lookupOp(operatorName(node), node.opset);
  if (!entry) {
    n.fail(unknownOperator(node));
  } else {
    if (!isControl(node) && !entry->severalOutputs)
      n.expectOneOutput();
    if (n.readsDynamic())
      importDynamicUse(n);
    else
      entry->import(n);
    // The nodes that it stands for check its attributes.
    if (std::vector<Node> nodes = n.takeExpansion(); n.ok() && !nodes.empty()) {
      size_t first = figures ? figures->nodes.size() : 0;
      for (const Node &part : nodes)
        importNode(part);
      if (figures)
        mergeFigures(node, first);
      return;
    }
    if (n.ok())
      n.checkAttributes();
  }
  bool ok = n.ok();
  llvm::Error error = n.finish();
  if (ok && isControl(node))
    error = expandControl(node);
  if (figures)
    addFigures(node, before, ok, std::move(error));
  else if (error)
    report(std::move(error));
  if (!ok)
    reportInside(node);
}

void Importer::countReads() {
  for (const Node &node : graph.nodes)
    for (const auto *names : {&node.inputs, &node.captures})
      for (const std::string &name : *names)
        ++reads[name];
  for (const std::string &name : graph.outputs)
    ++reads[name];
}

/// Nodes are sorted: readers come behind.
void Importer::findLogits() {
  static const char *const passing[] = {"Add",     "Cast",      "Expand",
                                        "Reshape", "Squeeze",   "Sub",
                                        "Where",   "Transpose", "Unsqueeze"};
  llvm::StringMap<int64_t> good;
  for (const Node &node : llvm::reverse(graph.nodes)) {
    auto isLogits = [&](const std::string &name) {
      auto found = good.find(name);
      return found != good.end() && found->second == reads[name];
    };
    const bool passes = llvm::is_contained(passing, node.opType) &&
                        llvm::all_of(node.outputs, isLogits);
    for (const std::string &name : node.outputs)
      if (isLogits(name))
        state.logits.insert(name);
    if (passes || node.opType == "Softmax")
      for (const std::string &name : node.inputs)
        ++good[name];
  }
}

/// Frees constants that nothing reads any more: a weight that was transposed
/// need not be in memory twice.
void Importer::releaseInputs(const Node &node) {
  for (const auto *names : {&node.inputs, &node.captures})
    for (const std::string &name : *names)
      if (--reads[name] == 0 &&
          state.entries[name].kind == Entry::Kind::Constant)
        state.entries.erase(name);
}

void Importer::importOutputs(func::FuncOp function) {
  SmallVector<Value> values;
  SmallVector<Type> types;
  for (const auto &[i, input] : llvm::enumerate(graph.inputs)) {
    const Entry &entry = state.entries[input.name];
    if (entry.quantization && entry.quantization->scales.empty() && !errors)
      report(makeError(302, "input " + quoted(input.name) + " of type " +
                                input.type +
                                " is not supported: no DequantizeLinear or "
                                "QLinear operator says what it means"));
  }
  for (const std::string &name : graph.outputs) {
    const Entry &entry = state.entries[name];
    Value value = entry.value;
    if (entry.kind == Entry::Kind::Constant) {
      if (entry.constant->element != Element::Float ||
          entry.constant->size() == 0) {
        report(makeError(302, "output " + quoted(name) +
                                  " is an integer or empty tensor, which is "
                                  "not supported"));
        continue;
      }
      if (!llvm::all_of(entry.constant->floats,
                        [](float value) { return std::isfinite(value); })) {
        report(makeError(207, "output " + quoted(name) +
                                  " is a constant that is not finite"));
        continue;
      }
      value = state.materialize(entry.constant,
                                NameLoc::get(builder.getStringAttr(name)));
    }
    if (entry.dynamic)
      report(makeError(302, "output " + quoted(name) +
                                " belongs to a dynamic quantization, which is "
                                "not supported"));
    if (!value)
      continue;
    if (entry.isBool) {
      report(makeError(302, "output " + quoted(name) +
                                " is a bool tensor, which is not supported"));
      continue;
    }
    values.push_back(value);
    types.push_back(value.getType());
  }
  func::ReturnOp::create(builder, builder.getUnknownLoc(), values);
  function.setFunctionType(
      builder.getFunctionType(function.getFunctionType().getInputs(), types));
  if (types.size() != graph.outputs.size())
    return;
  for (auto [i, name] : llvm::enumerate(graph.outputs)) {
    function.setResultAttr(i, "qopt.name", builder.getStringAttr(name));
    if (const QuantizationRef &integers = state.entries[name].quantization)
      function.setResultAttr(i, "qopt.type",
                             builder.getStringAttr(getIntegerName(*integers)));
  }
}

/// The importer promises valid IR: what the verifier finds is our bug.
llvm::Error Importer::verifyModule(ModuleOp module) {
  std::vector<std::string> notes;
  ScopedDiagnosticHandler handler(module.getContext(), [&](Diagnostic &d) {
    notes.push_back(d.str());
    return success();
  });
  if (succeeded(verify(module)))
    return llvm::Error::success();
  return makeError(710, "the importer built invalid IR", std::move(notes));
}

Expected<OwningOpRef<ModuleOp>> Importer::run(ArrayRef<Shape> shapes) {
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  (*module)->setAttr("qopt.model_hash", builder.getStringAttr(graph.hash));
  builder.setInsertionPointToStart(module->getBody());
  func::FuncOp function = createFunction(shapes);
  enterConstants(graph.constants);
  graph.constants.clear();
  countReads();
  findLogits();
  for (const Node &node : graph.nodes) {
    importNode(node);
    releaseInputs(node);
  }
  if (figures)
    addOutputFigures();
  importOutputs(function);
  if (errors)
    return std::move(errors);
  // Figures hold the refusals of nodes, so there may be no module to verify.
  if (figures && figures->countRefused() != 0)
    return std::move(module);
  if (function.getNumResults() != graph.outputs.size())
    return makeError(711, "an output was left unknown without a reason");
  if (llvm::Error error = verifyModule(*module))
    return std::move(error);
  return std::move(module);
}

void Importer::enterConstants(
    const std::map<std::string, ConstantRef> &constants) {
  for (const auto &[name, constant] : constants) {
    Entry entry;
    entry.kind = Entry::Kind::Constant;
    entry.constant = constant;
    state.entries[name] = entry;
  }
}

/// What was left out, as a note and for reports.
static void describeCut(const CutSummary &cut, ImportOptions &options) {
  std::string text = "the model is cut";
  auto list = [&](StringRef what, ArrayRef<std::string> names) {
    for (auto [i, name] : llvm::enumerate(names))
      text += (i ? ", " : what.str()) + quoted(name);
  };
  list(" at inputs ", cut.inputs);
  list(cut.inputs.empty() ? " at outputs " : " and outputs ", cut.outputs);
  int64_t count = 0;
  std::string operators;
  for (const auto &[name, number] : cut.nodes) {
    count += number;
    operators +=
        (operators.empty() ? ": " : ", ") + name + " " + std::to_string(number);
  }
  options.leftOut = cut.nodes;
  options.notes.push_back(text + ", which leaves out " + std::to_string(count) +
                          " nodes" + operators);
}

ReadOptions readOptionsFor(StringRef path, const ImportOptions &options) {
  ReadOptions read;
  read.name = path.str();
  read.folder = llvm::sys::path::parent_path(path).str();
  read.allowExternal = true;
  read.constants = options.constants;
  read.values = options.values;
  read.cut = {options.inputs, options.outputs};
  return read;
}

void takeNotes(const Graph &graph, ImportOptions &options) {
  llvm::append_range(options.notes, graph.notes);
  if (graph.cut)
    describeCut(*graph.cut, options);
}

static Expected<OwningOpRef<ModuleOp>>
import(Expected<Graph> graph, MLIRContext &context, ImportOptions &options) {
  if (!graph)
    return graph.takeError();
  context.loadDialect<func::FuncDialect, QoptDialect>();
  takeNotes(*graph, options);
  auto shapes = bindShapes(*graph, options);
  if (!shapes)
    return shapes.takeError();
  return Importer(*graph, context, options).run(*shapes);
}

Expected<OwningOpRef<ModuleOp>>
importModel(StringRef path, MLIRContext &context, ImportOptions &options) {
  return import(readModelFile(path, readOptionsFor(path, options)), context,
                options);
}

Expected<OwningOpRef<ModuleOp>>
importModelBytes(StringRef bytes, MLIRContext &context, ImportOptions &options,
                 StringRef folder, StringRef name) {
  ReadOptions read = readOptionsFor(name, options);
  read.folder = folder.str();
  read.allowExternal = !folder.empty();
  return import(readModel(bytes, read), context, options);
}

} // namespace mlir::qopt::importer
