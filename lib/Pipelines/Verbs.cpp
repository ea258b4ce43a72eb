// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt calibrate, merge and inspect.

#include "Data.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include <map>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

static llvm::Error missingOutput(StringRef verb, StringRef example) {
  return makeError(108, ("qopt " + verb + " needs an output file").str(), {},
                   ("add -o " + example).str());
}

llvm::Error mlir::qopt::pipelines::calibrate(const CompileOptions &options,
                                             const Streams &streams) {
  if (options.calibrate.empty())
    return makeError(103, "qopt calibrate needs data", {},
                     "add --calibrate data/");
  if (options.output.empty())
    return missingOutput("calibrate", "model.qcal");
  Levels levels(options);
  if (llvm::Error error = levels.import())
    return error;
  for (const std::string &note : levels.getNotes())
    streams.progress << "note: " << note << "\n";
  if (llvm::Error error = levels.observe())
    return error;
  RunFigures figures;
  auto state = loadStatistics(levels, options, streams, figures);
  if (!state)
    return state.takeError();
  if (llvm::Error error = state->write(options.output))
    return error;
  streams.results << "calibrated  " << state->getTensors().size()
                  << " tensors on " << state->getSamples().size()
                  << " samples\nwrote       " << options.output << "\n";
  return llvm::Error::success();
}

llvm::Error mlir::qopt::pipelines::merge(ArrayRef<std::string> shards,
                                         StringRef output,
                                         const Streams &streams) {
  if (output.empty())
    return missingOutput("merge", "all.qcal");
  auto state = observers::mergeFiles(shards);
  if (!state)
    return state.takeError();
  if (llvm::Error error = state->write(output))
    return error;
  streams.results << "merged      " << shards.size() << " files, "
                  << state->getSamples().size() << " samples\nwrote       "
                  << output << "\n";
  return llvm::Error::success();
}

static std::string formatType(Type type) {
  auto shaped = cast<RankedTensorType>(type);
  std::vector<std::string> dims;
  for (int64_t dim : shaped.getShape())
    dims.push_back(std::to_string(dim));
  return dims.empty() ? "scalar" : llvm::join(dims, "x");
}

llvm::Error mlir::qopt::pipelines::inspect(const CompileOptions &options,
                                           const Streams &streams) {
  Levels levels(options);
  if (llvm::Error error = levels.import())
    return error;
  func::FuncOp function = levels.getFunction("import");
  llvm::raw_ostream &os = streams.results;
  auto print = [&](StringRef what, ArrayRef<Type> types, auto attributes) {
    for (auto [i, type] : llvm::enumerate(types)) {
      auto name = attributes(i);
      os << what << (name ? name.getValue() : StringRef("?")) << "  "
         << formatType(type) << "\n";
    }
  };
  print("input       ", function.getArgumentTypes(), [&](unsigned i) {
    return function.getArgAttrOfType<StringAttr>(i, "qopt.name");
  });
  print("output      ", function.getResultTypes(), [&](unsigned i) {
    return function.getResultAttrOfType<StringAttr>(i, "qopt.name");
  });
  std::map<std::string, unsigned> histogram;
  uint64_t parameters = 0;
  function.walk([&](Operation *op) {
    if (auto constant = dyn_cast<ConstantOp>(op))
      parameters += cast<ShapedType>(constant.getType()).getNumElements();
    else if (!isa<func::FuncOp, func::ReturnOp>(op))
      ++histogram[op->getName().getStringRef().str()];
  });
  for (const auto &[name, count] : histogram)
    os << "operator    " << name << "  " << count << "\n";
  os << "parameters  " << parameters << "\n"
     << "file        " << levels.getModelBytes() << " bytes, SHA-256 "
     << llvm::toHex(levels.getModelHash(), /*LowerCase=*/true) << "\n";
  return llvm::Error::success();
}
