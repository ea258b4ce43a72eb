// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The importer's driver, for Import, ImportControl and Inspect.
#pragma once

#include "Reader.h"
#include "Registry.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qopt/Import/ONNX/Inspect.h"

namespace mlir::qopt::importer {

/// Builds one module from one graph and collects every refusal.
class Importer {
public:
  /// `figures`, if given, gets one entry a node.
  Importer(Graph &graph, MLIRContext &context, ImportOptions &options,
           ModelFigures *figures = nullptr)
      : graph(graph), options(options), figures(figures), builder(&context),
        state(graph, builder) {}

  Expected<OwningOpRef<ModuleOp>> run(ArrayRef<Shape> shapes);

private:
  func::FuncOp createFunction(ArrayRef<Shape> shapes);
  void importNode(const Node &node);
  void importOutputs(func::FuncOp function);
  llvm::Error verifyModule(ModuleOp module);
  void report(llvm::Error error);

  /// \name Control flow, in ImportControl.cpp
  /// @{
  /// Imports the graph that `node`, an If or Loop that was not refused, runs.
  llvm::Error expandControl(const Node &node);
  llvm::Error expandIf(const Node &node);
  llvm::Error expandLoop(const Node &node);
  llvm::Error runBody(const Node &node, const Subgraph &body);
  void stackScan(const Node &node, const std::string &output,
                 ArrayRef<Entry> slices);
  void setOutput(const Node &node, size_t i, const Entry &entry);
  /// Reports the operators below `node` that are not in the table.
  void reportInside(const Node &node);
  /// @}

  void enterConstants(const std::map<std::string, ConstantRef> &constants);
  /// Counts reads, so that a constant is freed after its last one.
  void countReads();
  void findLogits();
  void releaseInputs(const Node &node);

  /// \name Figures, in Inspect.cpp
  /// @{
  /// Describes `node`, whose ops come after `before`; consumes its error.
  void addFigures(const Node &node, Operation *before, bool ok,
                  llvm::Error error);
  /// Makes one entry for `node` of those from `first` on, its parts'.
  void mergeFigures(const Node &node, size_t first);
  void addOutputFigures();
  ValueFigures figuresOf(const std::string &name);
  /// @}

  Graph &graph;
  ImportOptions &options;
  ModelFigures *figures;
  OpBuilder builder;
  ImportState state;
  llvm::StringMap<int64_t> reads;
  int64_t unrolledNodes = 0;
  llvm::Error errors = llvm::Error::success();
};

/// The operator with its domain, `Conv` or `com.microsoft.QLinearAdd`.
std::string operatorName(const Node &node);

/// True for If and Loop, which run graphs of their own.
bool isControl(const Node &node);

/// Q0301: `node` is not in the table.
llvm::Error unknownOperator(const Node &node, StringRef inside = "");

/// What the reader needs for the model at `path`.
ReadOptions readOptionsFor(StringRef path, const ImportOptions &options);

/// Hands the reader's notes on.
void takeNotes(const Graph &graph, ImportOptions &options);

} // namespace mlir::qopt::importer
