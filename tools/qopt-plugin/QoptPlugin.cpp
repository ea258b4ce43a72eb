// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What `mlir-opt --load-dialect-plugin --load-pass-plugin` asks a plugin for.

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Interop/Passes.h"
#include "qopt/Interop/Pipelines.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/Pipelines.h"

using namespace mlir;

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "qopt", QOPT_VERSION,
          [](DialectRegistry *registry) {
            registry->insert<qopt::QoptDialect, qint::QintDialect>();
          }};
}

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "qopt", QOPT_VERSION, [] {
            qopt::registerQoptTransformsPasses();
            qopt::registerQoptInteropPasses();
            qopt::registerTransformsPipelines();
            qopt::registerInteropPipelines();
          }};
}
