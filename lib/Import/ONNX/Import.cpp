// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer's driver: reads, binds shapes, imports node by node, collects
// every refusal, and returns a verified module or all of them.
#include "qopt/Import/ONNX/Import.h"

#include "Bind.h"
#include "Reader.h"
#include "Registry.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "llvm/Support/Path.h"

namespace mlir::qopt::importer {

namespace {

class Importer {
public:
  Importer(const Graph &graph, MLIRContext &context, ImportOptions &options)
      : graph(graph), options(options), builder(&context),
        state(graph, builder) {}

  Expected<OwningOpRef<ModuleOp>> run();

private:
  func::FuncOp createFunction(ArrayRef<Shape> shapes);
  void importNode(const Node &node);
  void importOutputs(func::FuncOp function);
  void report(llvm::Error error);
  llvm::Error verifyModule(ModuleOp module);

  const Graph &graph;
  ImportOptions &options;
  OpBuilder builder;
  ImportState state;
  llvm::Error errors = llvm::Error::success();
};

} // namespace

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
    if (input.isFloat) {
      entry.kind = Entry::Kind::Activation;
      entry.value = block->getArgument(i);
      if (input.type != "float32")
        options.notes.push_back("input " + quoted(input.name) + " has type " +
                                input.type + ": computing in float32");
    } else {
      report(makeError(302,
                       "input " + quoted(input.name) + " of type " +
                           input.type + " is not supported",
                       {"supported: float32, float16, bfloat16, float64"}));
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

void Importer::importNode(const Node &node) {
  NodeContext n(state, node);
  const OpEntry *entry =
      node.domain.empty() ? lookupOp(node.opType, graph.opset) : nullptr;
  if (!entry) {
    std::string name =
        node.domain.empty() ? node.opType : node.domain + "." + node.opType;
    n.fail(makeError(301,
                     "operator " + quoted(name) + " (node " +
                         quoted(node.name) + ", opset " +
                         std::to_string(graph.opset) + ") is not supported",
                     explain(node)));
  } else {
    n.expectOneOutput();
    entry->import(n);
    if (n.ok())
      n.checkAttributes();
  }
  if (llvm::Error error = n.finish())
    report(std::move(error));
}

void Importer::importOutputs(func::FuncOp function) {
  SmallVector<Value> values;
  SmallVector<Type> types;
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
      value = state.materialize(entry.constant,
                                NameLoc::get(builder.getStringAttr(name)));
    }
    if (!value)
      continue;
    values.push_back(value);
    types.push_back(value.getType());
  }
  func::ReturnOp::create(builder, builder.getUnknownLoc(), values);
  function.setFunctionType(
      builder.getFunctionType(function.getFunctionType().getInputs(), types));
  if (types.size() != graph.outputs.size())
    return;
  for (auto [i, name] : llvm::enumerate(graph.outputs))
    function.setResultAttr(i, "qopt.name", builder.getStringAttr(name));
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

Expected<OwningOpRef<ModuleOp>> Importer::run() {
  auto shapes = bindShapes(graph, options);
  if (!shapes)
    return shapes.takeError();
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  (*module)->setAttr("qopt.model_hash", builder.getStringAttr(graph.hash));
  builder.setInsertionPointToStart(module->getBody());
  func::FuncOp function = createFunction(*shapes);
  for (const auto &[name, constant] : graph.constants) {
    Entry entry;
    entry.kind = Entry::Kind::Constant;
    entry.constant = constant;
    state.entries[name] = entry;
  }
  for (const Node &node : graph.nodes)
    importNode(node);
  importOutputs(function);
  if (errors)
    return std::move(errors);
  if (llvm::Error error = verifyModule(*module))
    return std::move(error);
  return std::move(module);
}

static Expected<OwningOpRef<ModuleOp>> import(StringRef bytes,
                                              const ReadOptions &read,
                                              MLIRContext &context,
                                              ImportOptions &options) {
  context.loadDialect<func::FuncDialect, QoptDialect>();
  auto graph = readModel(bytes, read);
  if (!graph)
    return graph.takeError();
  return Importer(*graph, context, options).run();
}

Expected<OwningOpRef<ModuleOp>>
importModel(StringRef path, MLIRContext &context, ImportOptions &options) {
  auto buffer = readFile(path);
  if (!buffer)
    return buffer.takeError();
  ReadOptions read;
  read.name = path.str();
  read.folder = llvm::sys::path::parent_path(path).str();
  read.allowExternal = true;
  read.constants = options.constants;
  return import((*buffer)->getBuffer(), read, context, options);
}

Expected<OwningOpRef<ModuleOp>>
importModelBytes(StringRef bytes, MLIRContext &context, ImportOptions &options,
                 StringRef folder, StringRef name) {
  ReadOptions read;
  read.name = name.str();
  read.folder = folder.str();
  read.allowExternal = !folder.empty();
  read.constants = options.constants;
  return import(bytes, read, context, options);
}

} // namespace mlir::qopt::importer
