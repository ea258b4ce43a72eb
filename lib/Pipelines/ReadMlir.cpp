// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models that are MLIR files, brought to level `import`.

#include "ReadMlir.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Interop/Pipelines.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"

using namespace mlir;
using namespace mlir::qopt;

bool mlir::qopt::pipelines::isMlirFile(StringRef path) {
  return path.ends_with(".mlir") || path.ends_with(".mlirbc");
}

/// Names for what the module does not name: callers find arrays by them.
static void nameBoundary(func::FuncOp function) {
  Builder builder(function.getContext());
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (!function.getArgAttr(i, "qopt.name"))
      function.setArgAttr(i, "qopt.name",
                          builder.getStringAttr("arg" + std::to_string(i)));
  for (unsigned i = 0; i < function.getNumResults(); ++i)
    if (!function.getResultAttr(i, "qopt.name"))
      function.setResultAttr(
          i, "qopt.name", builder.getStringAttr("result" + std::to_string(i)));
}

/// Empty where `module` is one function of float qopt ops.
static std::string findForeign(ModuleOp module) {
  auto functions = llvm::to_vector(module.getOps<func::FuncOp>());
  if (functions.size() != 1 || functions.front().isDeclaration())
    return "expects a module of one function";
  for (Type type : functions.front().getArgumentTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isF32())
      return "expects arguments of f32 with static shapes";
  }
  for (Operation &op : functions.front().getBody().getOps())
    if (!isa_and_nonnull<QoptDialect>(op.getDialect()) &&
        !isa<func::ReturnOp>(op))
      return "'" + op.getName().getStringRef().str() + "' is no op of a model";
  return "";
}

llvm::Expected<OwningOpRef<ModuleOp>>
mlir::qopt::pipelines::readMlir(StringRef path, MLIRContext &context) {
  context.loadDialect<tosa::TosaDialect>();
  std::vector<std::string> messages;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      messages.push_back(diagnostic.str());
    return success();
  });
  auto fail = [&](int code, StringRef what) {
    return makeError(code, (what + " '" + path + "'").str(),
                     std::move(messages));
  };
  auto buffer = readFile(path);
  if (!buffer)
    return buffer.takeError();
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>((*buffer)->getBuffer(), &context, path);
  if (!module)
    return fail(211, "cannot read the module");
  PassManager manager(&context);
  buildReadTosaPipeline(manager);
  if (failed(manager.run(*module)))
    return fail(311, "ops are not supported in");
  if (std::string foreign = findForeign(*module); !foreign.empty()) {
    messages.push_back(foreign);
    return fail(211, "this is no model:");
  }
  nameBoundary(*module->getOps<func::FuncOp>().begin());
  return std::move(module);
}
