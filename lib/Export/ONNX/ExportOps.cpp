// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One qopt op as ONNX nodes on reals.

#include "Emitter.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::exporter;

namespace {

/// Adds the nodes of one op.
class OpEmitter {
public:
  OpEmitter(Graph &graph, StringRef hint, GetReals getReals)
      : graph(graph), hint(hint), getReals(getReals) {}

  std::string emit(Operation *op, Limits limits);

private:
  std::string node(StringRef op, std::vector<std::string> inputs,
                   std::vector<NodeAttribute> attributes = {}) {
    return graph.addNode(op, std::move(inputs), (hint + "/" + op).str(),
                         std::move(attributes));
  }
  /// An operator that takes the op's operands as they are.
  std::string plain(StringRef name, Operation *op,
                    std::vector<NodeAttribute> attributes = {}) {
    std::vector<std::string> inputs;
    for (Value operand : op->getOperands())
      inputs.push_back(getReals(operand));
    return node(name, std::move(inputs), std::move(attributes));
  }
  std::string list(StringRef what, ArrayRef<int64_t> values) {
    return graph.addList((hint + "/" + what).str(), values);
  }

  std::string emitConv(ConvOp op);
  std::string emitAttend(AttendOp op);
  std::string emitLayerNorm(LayerNormOp op);
  std::string emitWrittenNorm(LayerNormOp op, std::string x);
  std::string emitInterpolate(InterpolateOp op);
  template <typename Op> std::string emitPool(StringRef name, Op op);
  template <typename Op> std::string emitReduce(StringRef name, Op op);
  template <typename Op> std::string emitArg(StringRef name, Op op);
  std::string emitMean(ReduceMeanOp op);
  std::string emitSlice(SliceOp op);
  std::string emitOwn(Operation *op);
  std::string emitMove(Operation *op);
  std::string emitReduction(Operation *op);

  Graph &graph;
  StringRef hint;
  GetReals getReals;
};

} // namespace

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

static SmallVector<float> floatsOf(DenseElementsAttr attr) {
  return llvm::to_vector(attr.getValues<float>());
}

std::string OpEmitter::emitConv(ConvOp op) {
  ArrayRef<int64_t> kernel = shapeOf(op.getWeight()).drop_front(2);
  return plain("Conv", op,
               {{"kernel_shape", kernel},
                {"strides", op.getStrides()},
                {"pads", op.getPads()},
                {"dilations", op.getDilations()},
                {"group", op.getGroups()}});
}

std::string OpEmitter::emitAttend(AttendOp op) {
  std::string shares =
      node("Softmax", {getReals(op.getLogits())}, {{"axis", int64_t(-1)}});
  return node("MatMul", {shares, getReals(op.getValues())});
}

/// Whether LayerNormalization says it: the last axes, in both senses.
static bool isPlainNorm(LayerNormOp op) {
  const int64_t rank = shapeOf(op.getInput()).size();
  const int64_t first = rank - op.getAxes().size();
  for (auto [i, axis] : llvm::enumerate(op.getAxes()))
    if (axis != first + int64_t(i))
      return false;
  for (const auto &factors : {op.getGamma(), op.getBeta()})
    if (factors && llvm::any_of(cast<RankedTensorType>(factors->getType())
                                    .getShape()
                                    .take_front(first),
                                [](int64_t size) { return size != 1; }))
      return false;
  return op.getCenter() && op.getPower() == 2;
}

std::string OpEmitter::emitLayerNorm(LayerNormOp op) {
  std::string x = getReals(op.getInput());
  if (!isPlainNorm(op))
    return emitWrittenNorm(op, std::move(x));
  const int64_t first = op.getAxes().front();
  auto factors = [&](StringRef what, DenseElementsAttr attr) {
    auto shape = cast<RankedTensorType>(attr.getType()).getShape();
    return graph.addFloats((hint + "/" + what).str(), shape.drop_front(first),
                           floatsOf(attr));
  };
  std::vector<std::string> inputs = {x};
  if (op.getGammaAttr())
    inputs.push_back(factors("gamma", op.getGammaAttr()));
  else
    inputs.push_back(graph.addScalar(1));
  if (op.getBetaAttr())
    inputs.push_back(factors("beta", op.getBetaAttr()));
  return node(
      "LayerNormalization", std::move(inputs),
      {{"axis", first},
       {"epsilon", static_cast<float>(op.getEpsilon().convertToDouble())}});
}

std::string OpEmitter::emitWrittenNorm(LayerNormOp op, std::string x) {
  std::string axes = list("axes", op.getAxes());
  std::string d = x;
  if (op.getCenter())
    d = node("Sub", {x, node("ReduceMean", {x, axes})});
  std::string divisor;
  if (op.getPower() == 1) {
    divisor = node("ReduceMean", {node("Abs", {d}), axes});
  } else {
    std::string variance = node("ReduceMean", {node("Mul", {d, d}), axes});
    if (double epsilon = op.getEpsilon().convertToDouble(); epsilon != 0)
      variance = node("Add", {variance, graph.addScalar(float(epsilon))});
    divisor = node("Sqrt", {variance});
  }
  std::string y = node("Div", {d, divisor});
  auto apply = [&](StringRef operation, StringRef what,
                   DenseElementsAttr attr) {
    if (attr)
      y = node(
          operation,
          {y, graph.addFloats((hint + "/" + what).str(),
                              cast<RankedTensorType>(attr.getType()).getShape(),
                              floatsOf(attr))});
  };
  apply("Mul", "gamma", op.getGammaAttr());
  apply("Add", "beta", op.getBetaAttr());
  return y;
}

/// A matrix of `results` rows that applies taps; `isTransposed` gives columns.
static SmallVector<float> makeMatrix(ArrayRef<int64_t> indices,
                                     ArrayRef<double> weights, int64_t results,
                                     int64_t sources, bool isTransposed) {
  SmallVector<double> sums(results * sources);
  const int64_t taps = indices.size() / results;
  for (auto [i, index] : llvm::enumerate(indices)) {
    int64_t row = int64_t(i) / taps;
    sums[isTransposed ? index * results + row : row * sources + index] +=
        weights[i];
  }
  return SmallVector<float>(sums.begin(), sums.end());
}

std::string OpEmitter::emitInterpolate(InterpolateOp op) {
  ArrayRef<int64_t> in = shapeOf(op.getInput()), out = shapeOf(op.getResult());
  std::string rows = graph.addFloats(
      (hint + "/rows").str(), {out[2], in[2]},
      makeMatrix(op.getRowIndices(), op.getRowWeights(), out[2], in[2], false));
  std::string columns =
      graph.addFloats((hint + "/columns").str(), {in[3], out[3]},
                      makeMatrix(op.getColumnIndices(), op.getColumnWeights(),
                                 out[3], in[3], true));
  std::string resized = node("MatMul", {rows, getReals(op.getInput())});
  return node("MatMul", {resized, columns});
}

template <typename Op> std::string OpEmitter::emitPool(StringRef name, Op op) {
  return plain(name, op,
               {{"kernel_shape", op.getKernel()},
                {"strides", op.getStrides()},
                {"pads", op.getPads()},
                {"dilations", op.getDilations()}});
}

template <typename Op>
std::string OpEmitter::emitReduce(StringRef name, Op op) {
  return node(name, {getReals(op.getInput()), list("axes", op.getAxes())},
              {{"keepdims", int64_t(op.getKeepDims())}});
}

std::string OpEmitter::emitMean(ReduceMeanOp op) {
  bool isGlobal = shapeOf(op.getInput()).size() == 4 && op.getKeepDims() &&
                  op.getAxes() == ArrayRef<int64_t>{2, 3};
  return isGlobal ? plain("GlobalAveragePool", op)
                  : emitReduce("ReduceMean", op);
}

template <typename Op> std::string OpEmitter::emitArg(StringRef name, Op op) {
  std::string index =
      plain(name, op,
            {{"axis", op.getAxis()},
             {"keepdims", int64_t(op.getKeepDims())},
             {"select_last_index", int64_t(op.getSelectLast())}});
  return node("Cast", {index}, {{"to", int64_t(onnx::TensorProto::FLOAT)}});
}

std::string OpEmitter::emitSlice(SliceOp op) {
  SmallVector<int64_t> ends, axes;
  for (auto [axis, size] : llvm::enumerate(shapeOf(op.getResult()))) {
    ends.push_back(op.getStarts()[axis] +
                   (size == 0 ? 0 : (size - 1) * op.getSteps()[axis] + 1));
    axes.push_back(axis);
  }
  return node("Slice", {getReals(op.getInput()), list("starts", op.getStarts()),
                        list("ends", ends), list("axes", axes),
                        list("steps", op.getSteps())});
}

std::string OpEmitter::emitMove(Operation *operation) {
  return llvm::TypeSwitch<Operation *, std::string>(operation)
      .Case([&](ReshapeOp op) {
        return node("Reshape", {getReals(op.getInput()),
                                list("shape", shapeOf(op.getResult()))});
      })
      .Case([&](TransposeOp op) {
        return plain("Transpose", op, {{"perm", op.getPermutation()}});
      })
      .Case([&](ConcatOp op) {
        return plain("Concat", op, {{"axis", op.getAxis()}});
      })
      .Case([&](PadOp op) {
        return node("Pad", {getReals(op.getInput()), list("pads", op.getPads()),
                            graph.addScalar(op.getValue().convertToFloat())});
      })
      .Case([&](SliceOp op) { return emitSlice(op); })
      .Case([&](GatherOp op) {
        return node("Gather",
                    {getReals(op.getInput()), list("indices", op.getIndices())},
                    {{"axis", op.getAxis()}});
      })
      // Only rounded again.
      .Case([&](RequantizeOp op) {
        return node("Identity", {getReals(op.getInput())});
      })
      .Default([](Operation *) { return std::string(); });
}

std::string OpEmitter::emitReduction(Operation *operation) {
  return llvm::TypeSwitch<Operation *, std::string>(operation)
      .Case([&](MaxPoolOp op) { return emitPool("MaxPool", op); })
      .Case([&](AvgPoolOp op) { return emitPool("AveragePool", op); })
      .Case([&](ReduceMeanOp op) { return emitMean(op); })
      .Case([&](ReduceSumOp op) { return emitReduce("ReduceSum", op); })
      .Case([&](ReduceMaxOp op) { return emitReduce("ReduceMax", op); })
      .Case([&](ReduceMinOp op) { return emitReduce("ReduceMin", op); })
      .Case([&](ReduceL1Op op) { return emitReduce("ReduceL1", op); })
      .Case([&](ReduceL2Op op) { return emitReduce("ReduceL2", op); })
      .Case([&](ReduceSumSquareOp op) {
        return emitReduce("ReduceSumSquare", op);
      })
      .Case([&](ArgMaxOp op) { return emitArg("ArgMax", op); })
      .Case([&](ArgMinOp op) { return emitArg("ArgMin", op); })
      .Default([](Operation *) { return std::string(); });
}

std::string OpEmitter::emitOwn(Operation *operation) {
  return llvm::TypeSwitch<Operation *, std::string>(operation)
      .Case([&](ConvOp op) { return emitConv(op); })
      .Case([&](GemmOp op) {
        return plain("Gemm", op, {{"transB", int64_t(1)}});
      })
      .Case([&](AddOp op) { return plain("Add", op); })
      .Case([&](SubOp op) { return plain("Sub", op); })
      .Case([&](MulOp op) { return plain("Mul", op); })
      .Case([&](DivOp op) { return plain("Div", op); })
      .Case([&](MaxOp op) { return plain("Max", op); })
      .Case([&](MinOp op) { return plain("Min", op); })
      .Case([&](MatMulOp op) { return plain("MatMul", op); })
      .Case([&](AttendOp op) { return emitAttend(op); })
      .Case([&](UnaryOp op) {
        SmallVector<FnAttr> functions(op.getFunctions().getAsRange<FnAttr>());
        return emitFunctions(graph, functions, getReals(op.getInput()), hint);
      })
      .Case([&](SoftmaxOp op) {
        return plain("Softmax", op, {{"axis", op.getAxis()}});
      })
      .Case([&](LogSoftmaxOp op) {
        return plain("LogSoftmax", op, {{"axis", op.getAxis()}});
      })
      .Case([&](LayerNormOp op) { return emitLayerNorm(op); })
      .Case([&](InterpolateOp op) { return emitInterpolate(op); })
      .Default([](Operation *) { return std::string(); });
}

std::string OpEmitter::emit(Operation *op, Limits limits) {
  std::string result = emitOwn(op);
  if (result.empty())
    result = emitMove(op);
  if (result.empty())
    result = emitReduction(op);
  auto fuses = dyn_cast<FusesActivationInterface>(op);
  FnAttr clamp = fuses ? fuses.getFusedActivation() : FnAttr();
  if (result.empty() || (!clamp && !limits.any()))
    return result;
  if (clamp && !limits.any())
    return emitFunctions(graph, clamp, std::move(result), hint);
  if (clamp)
    limits = {std::max(limits.low, clamp.getClampMin()),
              std::min(limits.high, clamp.getClampMax())};
  return emitClip(graph, std::move(result), limits, hint);
}

std::string mlir::qopt::exporter::emitOp(Graph &graph, Operation *op,
                                         StringRef hint, GetReals getReals,
                                         const Limits &limits) {
  return OpEmitter(graph, hint, getReals).emit(op, limits);
}
