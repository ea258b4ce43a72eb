// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Observers are filled by the reference evaluator, so that only integer code is
// compiled.

#include "IntegerForm.h"
#include "RoundTrip.h"
#include "mlir/Pass/PassManager.h"
#include "qopt/Calibration/Calibrate.h"
#include "qopt/Calibration/Engine.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Reference/Evaluate.h"
#include "qopt/Support/Error.h"
#include "qopt/Transforms/Passes.h"
#include "qopt/Transforms/Pipelines.h"
#include "qopt/Transforms/Statistics.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qopt;
using reference::Tensor;

namespace qopt_test {
namespace {

func::FuncOp mainOf(ModuleOp module) {
  return *module.getOps<func::FuncOp>().begin();
}

/// What goes wrong below is told as one line.
class Messages {
public:
  explicit Messages(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          if (text.empty())
            text = diagnostic.str();
          return success();
        }) {}

  llvm::Error toError(const char *step) {
    return makeError(700, std::string(step) + ": " +
                              (text.empty() ? "no message" : text));
  }

private:
  std::string text;
  ScopedDiagnosticHandler handler;
};

llvm::Error runPasses(ModuleOp module, const char *step,
                      llvm::function_ref<void(OpPassManager &)> add) {
  PassManager manager(module.getContext());
  add(manager.nest<func::FuncOp>());
  Messages messages(module.getContext());
  return succeeded(manager.run(module)) ? llvm::Error::success()
                                        : messages.toError(step);
}

/// Scales for all observers of `function` from one sample. Returns what the
/// function makes of it.
llvm::Expected<SmallVector<Tensor>> decideScales(func::FuncOp function,
                                                 ArrayRef<Tensor> inputs) {
  std::vector<observers::CalibrationState::TensorSpec> tensors;
  function.walk(
      [&](ObserveOp op) { tensors.push_back({op.getId().str(), 0}); });
  std::vector<observers::InputLayout> layouts;
  SmallVector<ArrayRef<float>> arrays;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    layouts.push_back({"input" + std::to_string(i),
                       static_cast<uint64_t>(input.getNumElements())});
    arrays.push_back(input.values<float>());
  }
  auto state =
      observers::CalibrationState::create({}, std::move(layouts), tensors);
  if (!state)
    return state.takeError();
  llvm::Error error = state->addSample(0, arrays);
  auto results = reference::evaluate(
      function, inputs, [&](Value value, const Tensor &tensor) {
        auto op = value.getDefiningOp<ObserveOp>();
        if (!op || error)
          return;
        ArrayRef<float> values = tensor.values<float>();
        observers::StridedValues all;
        all.base = values.data();
        all.rowLength = values.size();
        error = state->observe(state->indexOf(op.getId()), 0, all);
      });
  if (!results)
    return llvm::joinErrors(results.takeError(), std::move(error));
  if (error)
    return std::move(error);
  Messages messages(function.getContext());
  if (failed(foldStatistics(function, *state)))
    return messages.toError("statistics");
  return results;
}

/// Replaces float weights by what 8 bits hold of them, one scale a channel.
void roundWeights(func::FuncOp function) {
  function.walk([](QuantizableOpInterface op) {
    OpOperand *operand = op.getWeightOperand();
    auto constant =
        operand ? operand->get().getDefiningOp<qopt::ConstantOp>() : nullptr;
    if (!constant)
      return;
    auto weights = reference::readElements(constant.getValue());
    if (!weights)
      return llvm::consumeError(weights.takeError());
    int64_t channels = weights->getShape()[op.getWeightChannelAxis()];
    int64_t inner = 1;
    for (int64_t size :
         weights->getShape().drop_front(op.getWeightChannelAxis() + 1))
      inner *= size;
    MutableArrayRef<float> values = weights->values<float>();
    std::vector<float> largest(channels);
    for (auto [i, value] : llvm::enumerate(values)) {
      float &most = largest[i / inner % channels];
      most = std::max(most, std::fabs(value));
    }
    for (auto [i, value] : llvm::enumerate(values))
      if (double scale = largest[i / inner % channels] / 127.0)
        value = scale * std::nearbyint(value / scale);
    OpBuilder builder(op);
    auto rounded = qopt::ConstantOp::create(
        builder, op.getLoc(), constant.getType(),
        DenseElementsAttr::get(cast<ShapedType>(constant.getType()),
                               ArrayRef<float>(values)));
    operand->set(rounded);
  });
}

/// Passes must not change what a float model computes.
bool areClose(ArrayRef<Tensor> first, ArrayRef<Tensor> second) {
  for (auto [a, b] : llvm::zip_equal(first, second))
    for (auto [x, y] : llvm::zip_equal(a.values<float>(), b.values<float>()))
      if (!(std::fabs(x - y) <= 1e-6 + 1e-4 * std::fabs(y)))
        return false;
  return true;
}

/// The float function gets observers.
llvm::Error observe(ModuleOp module) {
  return runPasses(module, "observe", [](OpPassManager &manager) {
    addSimplifyPasses(manager);
    InsertObserversOptions options;
    options.method = "minmax";
    options.outputBits = 8;
    manager.addPass(createInsertObservers(options));
  });
}

llvm::Error quantizeModule(ModuleOp module) {
  return runPasses(module, "quantize", [](OpPassManager &manager) {
    QuantizeOptions options;
    options.clipWeights = false;
    manager.addPass(createQuantize(options));
  });
}

llvm::Error rewriteModule(ModuleOp module) {
  return runPasses(module, "quantize", [](OpPassManager &manager) {
    manager.addPass(createRewriteToQint());
  });
}

/// The boundary tensor of a `qint` function with attributes `scale`, `zero`.
numerics::QuantParams boundaryParams(Type type, Attribute scale,
                                     Attribute zeroPoint) {
  numerics::QuantParams params;
  unsigned bits = cast<RankedTensorType>(type).getElementTypeBitWidth();
  params.scale = cast<FloatAttr>(scale).getValue().convertToFloat();
  params.zeroPoint = cast<IntegerAttr>(zeroPoint).getInt();
  params.qmin = numerics::signedMin(bits);
  params.qmax = numerics::signedMax(bits);
  return params;
}

/// Both forms of one boundary tensor.
struct Boundary {
  Tensor integers, reals;
};

Boundary quantizeInput(func::FuncOp function, unsigned index,
                       const Tensor &input) {
  Type type = function.getArgumentTypes()[index];
  numerics::QuantParams params =
      boundaryParams(type, function.getArgAttr(index, "qint.scale"),
                     function.getArgAttr(index, "qint.zero_point"));
  Boundary result{Tensor(input.getShape(), *reference::kindOfElements(type)),
                  input};
  for (auto [i, value] : llvm::enumerate(result.reals.values<float>())) {
    int32_t integer = numerics::quantize(value, params);
    result.integers.setInteger(i, integer);
    value = numerics::dequantize(integer, params);
  }
  return result;
}

/// Moves integers between the signed type of `qint` and the model's own, in
/// which code has them at the boundary.
void relabel(Tensor &tensor, DictionaryAttr attributes) {
  auto type =
      attributes ? attributes.getAs<StringAttr>("qopt.type") : StringAttr();
  if (!type || !type.getValue().starts_with("u"))
    return;
  size_t width = reference::elementSize(tensor.getKind());
  MutableArrayRef<char> bytes = tensor.bytes();
  for (size_t i = width - 1; i < bytes.size(); i += width)
    bytes[i] ^= '\x80';
}

/// Whether compiled code gives the bytes of `expected`.
llvm::Error runCode(func::FuncOp function, ArrayRef<Boundary> inputs,
                    ArrayRef<Tensor> expected) {
  auto engine = calibration::Engine::create(function);
  if (!engine)
    return engine.takeError();
  std::vector<const void *> in;
  std::vector<void *> out;
  std::vector<Tensor> integers, results;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    integers.push_back(input.integers);
    relabel(integers.back(), function.getArgAttrDict(i));
  }
  for (const Tensor &tensor : integers)
    in.push_back(tensor.bytes().data());
  for (const Tensor &tensor : expected)
    results.emplace_back(tensor.getShape(), tensor.getKind());
  for (Tensor &result : results)
    out.push_back(result.bytes().data());
  (*engine)->run(in, out);
  for (auto [i, result] : llvm::enumerate(results)) {
    relabel(result, function.getResultAttrDict(i));
    if (result != expected[i])
      return makeError(799, "compiled code differs from Reference");
  }
  return llvm::Error::success();
}

/// The largest distance of integer results from real ones, in steps. What lies
/// outside the range of a result saturates.
double largestDistance(func::FuncOp function, ArrayRef<Tensor> integers,
                       ArrayRef<Tensor> reals) {
  double largest = 0;
  for (auto [i, tensor] : llvm::enumerate(integers)) {
    numerics::QuantParams params = boundaryParams(
        function.getResultTypes()[i], function.getResultAttr(i, "qint.scale"),
        function.getResultAttr(i, "qint.zero_point"));
    for (int64_t j = 0; j < tensor.getNumElements(); ++j) {
      double real = double(reals[i].values<float>()[j]) / params.scale;
      real = std::clamp<double>(real, params.qmin - params.zeroPoint,
                                params.qmax - params.zeroPoint);
      double steps = tensor.getInteger(j) - params.zeroPoint;
      largest = std::max(largest, std::fabs(steps - real));
    }
  }
  return largest;
}

/// How often activations, or constants in their place, are rounded on the way
/// to the results.
unsigned countRoundings(func::FuncOp function) {
  unsigned count = 0;
  for (Operation &op : function.getBody().front()) {
    bool hasWeights = isa<qint::ConvOp, qint::GemmOp>(op);
    if (hasWeights ||
        isa<qint::AddOp, qint::MulOp, qint::DivOp, qint::MatMulOp,
            qint::TableOp, qint::RequantizeOp, qint::SoftmaxOp, qint::AvgPoolOp,
            qint::ReduceMeanOp, qint::InterpolateOp, qint::LayerNormOp,
            qint::LogSoftmaxOp, qint::ReducePowerOp, qint::AttendOp>(op))
      ++count;
    if (!hasWeights)
      for (Value operand : op.getOperands())
        count += operand.getDefiningOp<qint::ConstantOp>() != nullptr;
  }
  return count;
}

bool isConstantFunction(func::FuncOp function) {
  for (Operation &op : function.getBody().front())
    if (!isa<qopt::ConstantOp, DequantizeOp, func::ReturnOp>(op))
      return false;
  return llvm::none_of(
      function.getBody().front().getTerminator()->getOperands(),
      llvm::IsaPred<BlockArgument>);
}

/// Whether the model itself holds integers, and so rounds.
bool isQuantizedModel(func::FuncOp function) {
  bool any = false;
  function.walk([&](QuantizeOp) { any = true; });
  return any;
}

std::string lineOf(llvm::Error error) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << error;
  llvm::consumeError(std::move(error));
  return text.substr(0, text.find('\n'));
}

IntegerForm fail(IntegerForm form, IntegerForm::Verdict verdict,
                 llvm::Error error) {
  form.verdict = verdict;
  form.text = lineOf(std::move(error));
  return form;
}

/// Runs `integer` and, with rounded inputs and weights, the float `observed`.
IntegerForm compare(func::FuncOp observed, func::FuncOp integer,
                    ArrayRef<Tensor> inputs, IntegerForm form) {
  using Verdict = IntegerForm::Verdict;
  std::vector<Boundary> boundary;
  std::vector<Tensor> integers, reals;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    boundary.push_back(quantizeInput(integer, i, input));
    integers.push_back(boundary.back().integers);
    reals.push_back(boundary.back().reals);
  }
  auto results = reference::evaluate(integer, integers);
  if (!results)
    return fail(form, Verdict::Wrong, results.takeError());
  roundWeights(observed);
  auto ideal = reference::evaluate(observed, reals);
  if (!ideal)
    return fail(form, Verdict::Wrong, ideal.takeError());
  form.steps = largestDistance(integer, *results, *ideal);
  form.bound = 0.51 * std::max(1u, countRoundings(integer));
  if (llvm::Error error = runCode(integer, boundary, *results))
    return fail(form, Verdict::Wrong, std::move(error));
  form.verdict = form.steps <= form.bound ? Verdict::Passed : Verdict::Far;
  if (form.verdict == Verdict::Far)
    form.text = std::to_string(form.steps) + " steps from the float model";
  return form;
}

} // namespace

IntegerForm runIntegerForm(ModuleOp module, ArrayRef<Tensor> inputs) {
  using Verdict = IntegerForm::Verdict;
  IntegerForm form;
  if (isConstantFunction(mainOf(module))) {
    form.verdict = Verdict::Constant;
    return form;
  }
  auto original = reference::evaluateModule(module, inputs);
  if (!original)
    return fail(form, Verdict::Wrong, original.takeError());
  OwningOpRef<ModuleOp> observed(module.clone());
  if (llvm::Error error = observe(*observed))
    return fail(form, Verdict::Refused, std::move(error));
  auto simplified = decideScales(mainOf(*observed), inputs);
  if (!simplified)
    return fail(form, Verdict::Refused, simplified.takeError());
  if (!isQuantizedModel(mainOf(module)) && !areClose(*simplified, *original))
    return fail(form, Verdict::Wrong,
                makeError(700, "passes change float results"));
  OwningOpRef<ModuleOp> integer(observed->clone());
  if (llvm::Error error = quantizeModule(*integer))
    return fail(form, Verdict::Refused, std::move(error));
  OwningOpRef<ModuleOp> quantized(integer->clone());
  if (llvm::Error error = rewriteModule(*integer))
    return fail(form, Verdict::Refused, std::move(error));
  if (llvm::Error error = checkRoundTrip(mainOf(*quantized), inputs))
    return fail(form, Verdict::Wrong, std::move(error));
  return compare(mainOf(*observed), mainOf(*integer), inputs, form);
}

} // namespace qopt_test
