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

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Calibration/DataLabelled.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Reference/Evaluate.h"
#include "qopt/Runtime/qopt_abi.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Target/Jit.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <map>
#include <set>

using namespace mlir;
using namespace mlir::qopt;
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

/// One op of the quantized level as a function of its own.
struct IsolatedOp {
  std::string id;
  OwningOpRef<ModuleOp> module;
  std::vector<std::string> operandIds;
  std::vector<RankedTensorType> operandTypes;
  RankedTensorType resultType;
  std::optional<reference::Evaluator> evaluator;
  uint64_t elements = 0, differing = 0;
  int64_t largest = 0;
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

/// The id of a value: `qopt.value` of its op, or the argument's name.
static std::string idOf(Value value, func::FuncOp function) {
  StringAttr id;
  if (auto argument = dyn_cast<BlockArgument>(value))
    id = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                               "qopt.name");
  else if (Operation *op = value.getDefiningOp())
    id = op->getAttrOfType<StringAttr>("qopt.value");
  return id ? id.str() : "";
}

/// The value without the boundary ops around it.
static Value behindQuantize(Value value) {
  if (auto quantize = value.getDefiningOp<QuantizeOp>())
    return quantize.getInput();
  return value;
}

static bool isQuantized(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<quant::UniformQuantizedType>(tensor.getElementType());
}

/// `op` alone in a function whose arguments are its activations.
static std::optional<IsolatedOp> isolate(Operation &op, func::FuncOp function) {
  if (op.getNumResults() != 1 || isa<ConstantOp, QuantizeOp>(op) ||
      !isQuantized(op.getResult(0).getType()))
    return std::nullopt;
  IsolatedOp isolated;
  isolated.id = idOf(op.getResult(0), function);
  isolated.resultType = cast<RankedTensorType>(op.getResult(0).getType());
  SmallVector<Type> types;
  for (Value operand : op.getOperands())
    if (!operand.getDefiningOp<ConstantOp>()) {
      types.push_back(operand.getType());
      isolated.operandTypes.push_back(
          cast<RankedTensorType>(operand.getType()));
      isolated.operandIds.push_back(idOf(behindQuantize(operand), function));
    }
  OpBuilder builder(op.getContext());
  isolated.module = ModuleOp::create(builder, op.getLoc());
  builder.setInsertionPointToStart(isolated.module->getBody());
  auto alone =
      func::FuncOp::create(builder, op.getLoc(), "main",
                           builder.getFunctionType(types, op.getResultTypes()));
  builder.setInsertionPointToStart(alone.addEntryBlock());
  IRMapping mapping;
  unsigned argument = 0;
  for (Value operand : op.getOperands()) {
    if (auto constant = operand.getDefiningOp<ConstantOp>())
      builder.clone(*constant, mapping);
    else
      mapping.map(operand, alone.getArgument(argument++));
  }
  Operation *copy = builder.clone(op, mapping);
  func::ReturnOp::create(builder, op.getLoc(), copy->getResults());
  isolated.evaluator = orFail(reference::Evaluator::create(alone));
  return isolated;
}

/// Compares one op on the integers of one sample.
static void checkOp(IsolatedOp &op,
                    const std::map<std::string, Tensor> &integers) {
  auto result = integers.find(op.id);
  std::vector<Tensor> operands;
  for (size_t i = 0; i < op.operandIds.size(); ++i) {
    auto operand = integers.find(op.operandIds[i]);
    if (operand == integers.end() || result == integers.end())
      return;
    operands.push_back(
        reference::dequantize(operand->second, op.operandTypes[i]));
  }
  if (result == integers.end())
    return;
  Tensor fake = reference::quantize(orFail(op.evaluator->run(operands))[0],
                                    op.resultType);
  for (int64_t i = 0, e = fake.getNumElements(); i < e; ++i) {
    int64_t difference =
        std::abs(int64_t(fake.getInteger(i)) - result->second.getInteger(i));
    ++op.elements;
    op.differing += difference != 0;
    op.largest = std::max(op.largest, difference);
  }
}

/// Integers of one float input at the qint function's boundary.
static Tensor quantizeInput(func::FuncOp function, unsigned index,
                            ArrayRef<float> values) {
  auto type = cast<RankedTensorType>(function.getArgumentTypes()[index]);
  numerics::QuantParams params;
  params.scale = static_cast<float>(
      function.getArgAttrOfType<FloatAttr>(index, "qint.scale")
          .getValueAsDouble());
  params.zeroPoint = static_cast<int32_t>(
      function.getArgAttrOfType<IntegerAttr>(index, "qint.zero_point")
          .getInt());
  unsigned bits = type.getElementTypeBitWidth();
  params.qmin = numerics::signedMin(bits);
  params.qmax = numerics::signedMax(bits);
  Tensor tensor(type.getShape(), *reference::kindOfElements(type));
  for (auto [i, value] : llvm::enumerate(values))
    tensor.setInteger(i, numerics::quantize(value, params));
  return tensor;
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
                        ArrayRef<IsolatedOp> ops) {
  uint64_t elements = 0, opDiffering = 0;
  int64_t largest = 0;
  unsigned checked = 0;
  for (const IsolatedOp &op : ops) {
    elements += op.elements;
    opDiffering += op.differing;
    largest = std::max(largest, op.largest);
    checked += op.elements != 0;
  }
  llvm::outs() << "{\"model\": \"" << name << "\", \"samples\": " << samples
               << ", \"output_bytes\": " << bytes
               << ", \"differing_bytes\": " << differing
               << ", \"ops\": " << ops.size()
               << ", \"ops_checked\": " << checked
               << ", \"op_elements\": " << elements
               << ", \"op_differing\": " << opDiffering
               << ", \"op_largest_steps\": " << largest << "}\n";
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
  auto evaluator = orFail(reference::Evaluator::create(integer));
  std::vector<IsolatedOp> ops;
  int64_t opsLimit = arguments.number("ops-limit", 20);
  if (opsLimit > 0)
    for (Operation &op : fake.getBody().front())
      if (auto isolated = isolate(op, fake))
        ops.push_back(std::move(*isolated));

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
    std::map<std::string, Tensor> integers;
    for (unsigned i = 0; i < specs.size(); ++i)
      inputs.push_back(quantizeInput(integer, i, reals[i]));
    for (auto [i, tensor] : llvm::enumerate(inputs))
      boundary.push_back(boundaryBytes(integer, i, tensor));
    for (const std::vector<char> &bytes : boundary)
      in.push_back(bytes.data());
    auto expected =
        orFail(evaluator.run(inputs, [&](Value value, const Tensor &tensor) {
          if (sample < opsLimit)
            integers[idOf(value, integer)] = tensor;
        }));
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
    if (sample < opsLimit)
      for (IsolatedOp &op : ops)
        checkOp(op, integers);
  }
  std::free(arena);
  printResult(arguments["name"], data->size(), bytes, differing, ops);
  return differing == 0 ? 0 : 1;
}
