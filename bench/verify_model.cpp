// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Holds an emitted object against Reference over whole evaluation sets.
//
//   verify-model --object net.o --name net --qint net.qint.mlir
//     --quantized net.quantized.mlir --eval data [--limit N] [--ops-limit N]
//
// Prints one JSON line: output bytes that differ between the object and
// Reference on the qint level; and, over the first --ops-limit samples, for
// each op of the quantized level evaluated in float arithmetic on the very
// integers that the qint level has there: elements, elements that differ, and
// the largest difference in steps. The files are those of
// `qopt --emit=obj,mlir:qint,mlir:quantized`.

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Calibration/DataLabelled.h"
#include "qopt/Evaluation/OpSteps.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Runtime/qopt_abi.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Target/Jit.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <map>

using namespace mlir;
using namespace mlir::qopt;
using evaluation::OpDifferences;
using evaluation::OpSteps;
using reference::Tensor;

namespace {

struct Arguments {
  std::map<std::string, std::string> values;

  const std::string &operator[](const std::string &name) {
    return values[name];
  }
  int64_t number(const std::string &name, int64_t fallback) {
    return values.count(name) ? std::atoll(values[name].c_str()) : fallback;
  }
};

} // namespace

[[noreturn]] static void fail(llvm::Error error) {
  std::exit(static_cast<int>(reportError(std::move(error), llvm::errs())));
}
template <typename T> static T orFail(llvm::Expected<T> value) {
  if (!value)
    fail(value.takeError());
  return std::move(*value);
}

static func::FuncOp mainOf(ModuleOp module) {
  return *module.getOps<func::FuncOp>().begin();
}

static OwningOpRef<ModuleOp> parse(const std::string &path,
                                   MLIRContext &context) {
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(path, &context);
  if (!module)
    fail(makeError(202, "cannot parse '" + path + "'"));
  return module;
}

/// What the object reads for argument `index`: bytes that are unsigned outside
/// are 128 higher there.
static std::vector<char> boundaryBytes(func::FuncOp function, unsigned index,
                                       const Tensor &tensor) {
  auto bytes = tensor.bytes();
  std::vector<char> result(bytes.begin(), bytes.end());
  auto type = function.getArgAttrOfType<StringAttr>(index, "qopt.type");
  if (type && type == "uint8")
    for (char &byte : result)
      byte ^= static_cast<char>(0x80);
  return result;
}

static void printResult(const std::string &name, int64_t samples,
                        uint64_t bytes, uint64_t differing,
                        const OpDifferences &ops) {
  llvm::outs() << "{\"model\": \"" << name << "\", \"samples\": " << samples
               << ", \"output_bytes\": " << bytes
               << ", \"differing_bytes\": " << differing
               << ", \"ops\": " << ops.ops
               << ", \"ops_checked\": " << ops.opsChecked
               << ", \"op_elements\": " << ops.elements
               << ", \"op_differing\": " << ops.differing
               << ", \"op_largest_steps\": " << ops.largest << "}\n";
}

int main(int argc, char **argv) {
  Arguments arguments;
  for (int i = 1; i + 1 < argc; i += 2)
    arguments.values[StringRef(argv[i]).ltrim('-').str()] = argv[i + 1];
  MLIRContext context;
  context.loadDialect<QoptDialect, qint::QintDialect, func::FuncDialect,
                      quant::QuantDialect>();
  OwningOpRef<ModuleOp> qint = parse(arguments["qint"], context);
  OwningOpRef<ModuleOp> quantized = parse(arguments["quantized"], context);
  func::FuncOp integer = mainOf(*qint), fake = mainOf(*quantized);
  auto steps = orFail(OpSteps::create(fake, integer));
  const int64_t opsLimit = arguments.number("ops-limit", 20);

  auto object = orFail(readFile(arguments["object"]));
  auto jit = orFail(target::Jit::createFromObject(object->getBuffer()));
  auto *model = static_cast<const qopt_model *>(
      orFail(jit->lookup(arguments["name"] + "_model")));
  void *arena = std::aligned_alloc(
      model->arena_align,
      (model->arena_size / model->arena_align + 1) * model->arena_align);

  auto specs = calibration::getInputSpecs(fake);
  calibration::DataOptions dataOptions;
  dataOptions.limit = arguments.number("limit", INT64_MAX);
  std::vector<calibration::OutputSpec> outputs;
  for (unsigned i = 0; i < fake.getNumResults(); ++i) {
    auto type = cast<RankedTensorType>(fake.getResultTypes()[i]);
    auto name = fake.getResultAttrOfType<StringAttr>(i, "qopt.name");
    outputs.push_back({name ? name.str() : "", type.getShape().vec()});
  }
  auto data = orFail(calibration::LabelledSet::open(arguments["eval"], specs,
                                                    outputs, dataOptions));
  uint64_t bytes = 0, differing = 0;
  for (int64_t sample = 0; sample < data->size(); ++sample) {
    std::vector<std::vector<float>> reals;
    std::vector<float *> pointers;
    for (const calibration::InputSpec &spec : specs)
      reals.emplace_back(*calibration::countElements(spec.shape));
    for (auto &values : reals)
      pointers.push_back(values.data());
    if (llvm::Error error = data->read(sample, pointers))
      fail(std::move(error));
    std::vector<Tensor> inputs;
    std::vector<std::vector<char>> boundary;
    std::vector<const void *> in;
    for (unsigned i = 0; i < specs.size(); ++i)
      inputs.push_back(evaluation::quantizeInput(integer, i, reals[i]));
    for (auto [i, tensor] : llvm::enumerate(inputs))
      boundary.push_back(boundaryBytes(integer, i, tensor));
    for (const std::vector<char> &bytes : boundary)
      in.push_back(bytes.data());
    auto expected = orFail(steps.add(inputs, sample < opsLimit));
    std::vector<std::vector<char>> results;
    std::vector<void *> out;
    for (const Tensor &tensor : expected)
      results.emplace_back(tensor.bytes().size());
    for (auto &result : results)
      out.push_back(result.data());
    model->run(in.data(), out.data(), arena, nullptr);
    for (auto [tensor, result] : llvm::zip(expected, results))
      for (size_t i = 0; i < result.size(); ++i) {
        ++bytes;
        differing += tensor.bytes()[i] != result[i];
      }
  }
  std::free(arena);
  printResult(arguments["name"], data->size(), bytes, differing,
              steps.getDifferences());
  return differing == 0 ? 0 : 1;
}
