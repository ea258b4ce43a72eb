// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An image times one value a channel: what depends on the channel alone is
// computed once for all pixels.

#include "Gate.h"
#include "Arith.h"
#include "ChannelBlocks.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qopt::codegen {
namespace {

/// Bytes as zero-extended words: the lower and the upper halves of blocks.
std::array<Value, 2> wordHalves(KernelBuilder &k, Value bytes) {
  Value zero = k.constant(bytes.getType(), 0);
  return {k.bitcast(interleave(k, bytes, zero, false), k.i16()),
          k.bitcast(interleave(k, bytes, zero, true), k.i16())};
}

/// The image's pixels as rows of columns, and both operands.
class GateKernel {
public:
  GateKernel(qint::MulOp op, int image, ArrayRef<View> in, const View &out,
             const Rescale &rescale, const OutputType &output, const Isa &isa)
      : image(in[image]), gate(in[1 - image]), out(out), rescale(rescale),
        output(output) {
    int64_t zeros[] = {op.getLhsZeroPoint(), op.getRhsZeroPoint()};
    imageZero = zeros[image];
    gateZero = zeros[1 - image];
    rows = out.shape[2];
    columns = out.shape[3];
    // Where rows follow one another they are one.
    if (isDense(this->image) && isDense(out)) {
      columns *= rows;
      rows = 1;
    }
    blocks = divideChannels(out.shape[1], columns, isa);
  }

  std::string key() const {
    std::string text;
    llvm::raw_string_ostream(text) << 'z' << imageZero << ',' << gateZero << ' '
                                   << rescale.key() << ' ' << output.key();
    return text;
  }

  void emit(KernelBuilder &k, ValueRange args) const {
    k.loop(0, out.shape[0], 1, [&](Value n) {
      for (const ChannelBlocks &block : blocks)
        k.loop(0, block.count, 1, [&](Value i) {
          Value channel = k.add(k.mul(i, block.lanes), block.first);
          WideLanes factors = loadGate(k, args[1], block, n, channel);
          Value from =
              k.add(k.add(k.mul(n, image.strides[0]), channel), image.origin());
          Value to =
              k.add(k.add(k.mul(n, out.strides[0]), channel), out.origin());
          k.loop(0, rows, 1, [&](Value row) {
            pixelRow(k, args, block, factors,
                     k.add(from, k.mul(row, image.strides[2])),
                     k.add(to, k.mul(row, out.strides[2])));
          });
        });
    });
  }

private:
  static bool isDense(const View &view) {
    return view.strides[2] == view.shape[3] * view.strides[3];
  }

  WideLanes loadGate(KernelBuilder &k, Value memory, const ChannelBlocks &block,
                     Value n, Value channel) const {
    int64_t step = gate.shape[0] == 1 ? 0 : gate.strides[0];
    Value position = k.add(k.add(k.mul(n, step), channel), gate.origin());
    Value bytes = loadPart(k, memory, position, k.vec(block.lanes, k.i8()),
                           block.valid, gate.spanBytes());
    for (int64_t lanes = block.lanes; lanes < block.width(); lanes *= 2)
      bytes = k.concat(bytes, bytes);
    return centeredPairs(k, unsignedBytes(k, bytes, gate), gateZero);
  }

  static Value unsignedBytes(KernelBuilder &k, Value bytes, const View &view) {
    return view.storageBias ? bytes : xorI(k, bytes, 128);
  }

  void pixelRow(KernelBuilder &k, ValueRange args, const ChannelBlocks &block,
                const WideLanes &factors, Value from, Value to) const {
    auto at = [&](Value column, const ChannelBlocks &some) {
      pixels(k, args, some, factors,
             k.add(from, k.mul(column, image.strides[3])),
             k.add(to, k.mul(column, out.strides[3])));
    };
    int64_t whole = columns - columns % block.columns;
    k.loop(0, whole, block.columns, [&](Value column) { at(column, block); });
    // The rest one by one, in the first lanes: results may lie where the image
    // was, so nothing is computed twice.
    ChannelBlocks single = block;
    single.columns = 1;
    k.loop(whole, columns, 1, [&](Value column) { at(column, single); });
  }

  void pixels(KernelBuilder &k, ValueRange args, const ChannelBlocks &block,
              const WideLanes &factors, Value from, Value to) const {
    SmallVector<int64_t, 4> read, written;
    for (int64_t column = 0; column < block.columns; ++column) {
      read.push_back(column * image.strides[3]);
      written.push_back(column * out.strides[3]);
    }
    Value bytes = unsignedBytes(
        k, loadColumns(k, args[0], image, block, from, read), image);
    int64_t width = cast<VectorType>(bytes.getType()).getNumElements();
    SmallVector<Value, 4> products;
    for (auto [pair, factor] :
         llvm::zip_equal(factorPairs(k, bytes, imageZero), factors)) {
      Value narrow = k.slice(factor, 0, width / 2);
      Type type = k.vec(width / 4, k.i32());
      products.push_back(qint::Dot2Op::create(
          k.b, k.loc, type, k.constant(type, 0), pair, narrow));
    }
    storeColumns(
        k, args[2], block, to, written,
        requantize(k, products, rescale, {}, output, LaneOrder::Blocked), 1);
  }

  const View &image;
  const View &gate;
  const View &out;
  const Rescale &rescale;
  const OutputType &output;
  int64_t imageZero = 0, gateZero = 0;
  int64_t rows = 1, columns = 1;
  SmallVector<ChannelBlocks> blocks;
};

/// The operand that is an image where the other is a gate for it, or -1.
int imageOperand(ArrayRef<View> in, const View &out) {
  auto isPlain = [](const View &view) {
    return view.buffer >= 0 && view.kind == ElementKind::I8 &&
           view.rank() == 4 && (view.strides[1] == 1 || view.shape[1] == 1);
  };
  if (!isPlain(out) || !isPlain(in[0]) || !isPlain(in[1]))
    return -1;
  int64_t pixels = out.shape[2] * out.shape[3];
  for (int image : {0, 1}) {
    ArrayRef<int64_t> gate = in[1 - image].shape;
    bool isGate = (gate[0] == 1 || gate[0] == out.shape[0]) &&
                  gate[1] == out.shape[1] && gate[2] == 1 && gate[3] == 1;
    if (in[image].shape == out.shape && isGate && pixels > 1 &&
        out.shape[1] > 1)
      return image;
  }
  return -1;
}

} // namespace

bool fitsPairs(int64_t zeroPoint) { return std::abs(zeroPoint) < 32000; }

WideLanes factorPairs(KernelBuilder &k, Value bytes, int64_t zeroPoint) {
  WideLanes result;
  for (Value words : wordHalves(k, bytes)) {
    Value negative = k.constant(words.getType(), -(zeroPoint + 128));
    for (bool upper : {false, true})
      result.push_back(interleave(k, words, negative, upper));
  }
  return result;
}

WideLanes centeredPairs(KernelBuilder &k, Value bytes, int64_t zeroPoint) {
  WideLanes result;
  for (Value words : wordHalves(k, bytes)) {
    Value less = subI(k, words, zeroPoint + 128);
    for (bool upper : {false, true})
      result.push_back(interleave(k, less, less, upper));
  }
  return result;
}

bool emitGate(KernelContext &context, qint::MulOp op, ArrayRef<View> in,
              const View &out, const Rescale &rescale,
              const OutputType &output) {
  int image = imageOperand(in, out);
  if (image < 0)
    return false;
  GateKernel kernel(op, image, in, out, rescale, output, context.isa);
  context.emitKernel(
      op.getLoc(), "gate", kernel.key(),
      {KernelArg::read(in[image]), KernelArg::read(in[1 - image]),
       KernelArg::write(out)},
      [&](KernelBuilder &k, ValueRange args) { kernel.emit(k, args); });
  return true;
}

} // namespace mlir::qopt::codegen
