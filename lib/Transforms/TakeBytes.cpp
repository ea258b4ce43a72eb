// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A float input that a program fills from bytes becomes an input of bytes; the
// normalization in between becomes part of the model.

#include "Bytes.h"
#include "Names.h"
#include "Scales.h"
#include "qopt/Transforms/Constants.h"
#include "qopt/Transforms/Passes.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_TAKEBYTES
#include "qopt/Transforms/Passes.h.inc"

namespace {

std::optional<BlockArgument> findArgument(func::FuncOp function,
                                          StringRef name) {
  for (BlockArgument argument : function.getArguments()) {
    auto own = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(),
                                                     boundaryNameAttr);
    if (own && own.getValue() == name)
      return argument;
  }
  return std::nullopt;
}

struct TakeBytes final : impl::TakeBytesBase<TakeBytes> {
  using impl::TakeBytesBase<TakeBytes>::TakeBytesBase;

  LogicalResult check(BlockArgument argument) {
    func::FuncOp function = getOperation();
    auto type = cast<RankedTensorType>(argument.getType());
    if (!isFloatTensor(argument) ||
        function.getArgAttr(argument.getArgNumber(), boundaryTypeAttr))
      return function.emitError("expects a float input, but '")
             << input.getValue() << "' holds integers";
    for (ArrayRef<double> list :
         {ArrayRef<double>(scale), ArrayRef<double>(shift)})
      if (list.size() != 1 &&
          (axis < 0 || axis >= type.getRank() ||
           static_cast<int64_t>(list.size()) != type.getDimSize(axis)))
        return function.emitError("a list of ")
               << list.size() << " values does not fit axis " << axis.getValue()
               << " of input '" << input.getValue() << "'";
    return success();
  }

  /// `scale[c] x + shift[c]` along `channelAxis` of `x`.
  Value normalize(OpBuilder &builder, Value x, int64_t channelAxis) {
    auto type = cast<RankedTensorType>(x.getType());
    Location loc = x.getLoc();
    if (scale.size() == 1 && shift.size() == 1) {
      auto affine = FnAttr::get(&getContext(), Function::Affine,
                                {scale.front(), shift.front()});
      return UnaryOp::create(builder, loc, type, x,
                             builder.getArrayAttr({affine}));
    }
    int64_t channels = type.getDimSize(channelAxis);
    auto constant = [&](ArrayRef<double> list, ArrayRef<int64_t> shape) {
      SmallVector<float> values(channels, static_cast<float>(list.front()));
      if (list.size() != 1)
        llvm::copy(list, values.begin());
      return createConstantF32(
          builder, loc, RankedTensorType::get(shape, type.getElementType()),
          values);
    };
    if (channelAxis == 1)
      return BatchNormOp::create(builder, loc, type, x,
                                 constant(scale, channels),
                                 constant(shift, channels));
    SmallVector<int64_t> shape(type.getRank(), 1);
    shape[channelAxis] = channels;
    Value scaled = MulOp::create(builder, loc, type, x, constant(scale, shape),
                                 /*activation=*/nullptr);
    return AddOp::create(builder, loc, type, scaled, constant(shift, shape),
                         /*activation=*/nullptr);
  }

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    std::optional<BlockArgument> argument = findArgument(function, input);
    if (!argument) {
      function.emitError("has no input '") << input.getValue() << "'";
      return signalPassFailure();
    }
    if (failed(check(*argument)))
      return signalPassFailure();
    function.setArgAttr(argument->getArgNumber(), boundaryTypeAttr,
                        StringAttr::get(&getContext(), "uint8"));
    OpBuilder builder(function.getBody());
    SmallVector<OpOperand *> uses(
        llvm::make_pointer_range(argument->getUses()));
    Value x = observeBytes(builder, *argument, input + ":u8");
    int64_t channelAxis = axis;
    // Behind a change of layout the map meets the layer that it folds into. One
    // map for all elements also passes a flatten.
    Operation *user = uses.size() == 1 ? uses.front()->getOwner() : nullptr;
    auto transpose = dyn_cast_or_null<TransposeOp>(user);
    bool isScalar = scale.size() == 1 && shift.size() == 1;
    if (transpose || (isScalar && isa_and_nonnull<ReshapeOp>(user))) {
      uses.front()->set(x);
      x = user->getResult(0);
      uses = llvm::to_vector(llvm::make_pointer_range(x.getUses()));
      if (transpose)
        channelAxis =
            std::distance(transpose.getPermutation().begin(),
                          llvm::find(transpose.getPermutation(), axis));
      builder.setInsertionPointAfter(user);
    }
    Value normalized = normalize(builder, x, channelAxis);
    for (OpOperand *use : uses)
      use->set(normalized);
  }
};

} // namespace

ObserveOp observeBytes(OpBuilder &builder, Value value, const Twine &id) {
  return ObserveOp::create(builder, value.getLoc(), value.getType(), value,
                           builder.getStringAttr(id), /*bits=*/8,
                           /*symmetric=*/false, bytesMethod,
                           builder.getF32FloatAttr(1.0f),
                           builder.getI64IntegerAttr(-128));
}

ObserveOp getBytes(Value value) {
  if (auto transpose = value.getDefiningOp<TransposeOp>())
    value = transpose.getInput();
  auto observe = value.getDefiningOp<ObserveOp>();
  return observe && observe.getMethod() == bytesMethod ? observe : ObserveOp();
}

} // namespace mlir::qopt
