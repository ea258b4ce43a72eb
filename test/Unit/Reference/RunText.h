// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Parses a function from text and runs it: what every Reference test does.
#pragma once

#include "mlir/Parser/Parser.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Reference/Evaluate.h"
#include <gtest/gtest.h>

namespace qopt_test {

using namespace mlir;
namespace reference = mlir::qopt::reference;
using reference::Tensor;

/// A module from text, in a context of its own. `get` is null where the text
/// does not verify.
class TextModule {
public:
  explicit TextModule(llvm::StringRef text) {
    context.loadDialect<mlir::qopt::QoptDialect, mlir::qint::QintDialect,
                        func::FuncDialect>();
    module = parseSourceString<ModuleOp>(text, &context);
  }
  ModuleOp get() { return module.get(); }
  explicit operator bool() { return static_cast<bool>(module); }

private:
  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
};

/// The error's text, as a person reads it.
inline std::string messageOf(llvm::Error error) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << error;
  llvm::consumeError(std::move(error));
  return text;
}

/// The results of `@main` in `text`; a failed expectation and nothing if that
/// fails.
inline SmallVector<Tensor> runText(llvm::StringRef text,
                                   ArrayRef<Tensor> inputs) {
  TextModule module(text);
  if (!module) {
    ADD_FAILURE() << "does not parse: " << text.str();
    return {};
  }
  auto results = mlir::qopt::reference::evaluateModule(module.get(), inputs);
  if (!results) {
    ADD_FAILURE() << messageOf(results.takeError());
    return {};
  }
  return std::move(*results);
}

/// A function of one op: `args` and `type` as in a signature, `body` defines
/// `%y`.
inline std::string functionText(const std::string &args,
                                const std::string &type,
                                const std::string &body) {
  return "func.func @main(" + args + ") -> " + type + " {\n  " + body +
         "\n  return %y : " + type + "\n}\n";
}

template <typename T>
Tensor tensorOf(std::initializer_list<int64_t> shape,
                std::initializer_list<T> values) {
  return Tensor::from<T>(ArrayRef<int64_t>(shape.begin(), shape.size()),
                         ArrayRef<T>(values.begin(), values.size()));
}

template <typename T> std::vector<T> valuesOf(const Tensor &tensor) {
  return tensor.values<T>().vec();
}

} // namespace qopt_test
