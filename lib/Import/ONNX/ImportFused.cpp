// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The operators that ONNX Runtime's optimizer writes into the models that it
// saves: each stands for operators of ONNX.
#include "Parts.h"
#include "Registry.h"

namespace mlir::qopt::importer {

/// The activation that 'activation' names, with its parameters, of `x`.
static void addActivation(NodeContext &n, Parts &parts, const std::string &x) {
  std::string kind = n.stringAttribute("activation", "");
  std::vector<float> given = n.floatsAttribute("activation_params");
  static const std::pair<const char *, std::vector<const char *>> known[] = {
      {"Relu", {}},
      {"Sigmoid", {}},
      {"Tanh", {}},
      {"LeakyRelu", {"alpha"}},
      {"HardSigmoid", {"alpha", "beta"}}};
  if (kind.empty())
    return;
  if (kind == "Clip") {
    if (given.size() != 2)
      return n.invalid("attribute 'activation_params' expects two bounds");
    parts.add("Clip", {x, parts.number(given[0]), parts.number(given[1])}, 13);
    return;
  }
  for (const auto &[name, parameters] : known) {
    if (kind != name)
      continue;
    parts.add(kind, {x});
    for (size_t i = 0; i < std::min(parameters.size(), given.size()); ++i)
      parts.setFloat(parameters[i], given[i]);
    return;
  }
  n.unsupported("the activation " + quoted(kind));
}

/// FusedConv and FusedGemm: the operator, perhaps a summand, then an
/// activation.
void importFusedLayer(NodeContext &n) {
  bool isConv = n.opType() == "FusedConv";
  n.expectInputs(2, isConv ? 4 : 3);
  Parts parts(n);
  std::string y = parts.add(isConv ? "Conv" : "Gemm",
                            {parts.input(0), parts.input(1), parts.input(2)});
  for (const auto &[name, value] : n.getNode().attributes)
    if (!StringRef(name).starts_with("activation"))
      parts.last().attributes[name] = value;
  if (isConv && n.hasInput(3))
    y = parts.add("Add", {y, parts.input(3)});
  addActivation(n, parts, y);
  parts.finish();
}

void importFusedMatMul(NodeContext &n) {
  n.expectInputs(2, 2);
  float alpha = n.floatAttribute("alpha", 1);
  for (StringRef name : {"transBatchA", "transBatchB"})
    if (n.intAttribute(name, 0) != 0)
      n.unsupported("attribute " + quoted(name) + " is not 0");
  Parts parts(n);
  std::vector<std::string> sides;
  for (size_t i : {0, 1}) {
    sides.push_back(parts.input(i));
    bool isTransposed = n.intAttribute(i == 0 ? "transA" : "transB", 0) != 0;
    size_t rank = n.shapeOf(i).size();
    if (!n.ok() || !isTransposed || rank < 2)
      continue;
    sides.back() = parts.add("Transpose", {parts.input(i)});
    Shape permutation;
    for (size_t axis = 0; axis != rank; ++axis)
      permutation.push_back(int64_t(axis));
    std::swap(permutation[rank - 2], permutation[rank - 1]);
    parts.setInts("perm", permutation);
  }
  std::string y = parts.add("MatMul", sides);
  if (alpha != 1)
    parts.add("Mul", {y, parts.number(alpha)});
  parts.finish();
}

/// A product of integers as the floats that it stands for.
static void scaleProduct(NodeContext &n, Parts &parts,
                         const std::string &product, const std::string &scaleA,
                         const std::string &scaleB, size_t bias) {
  std::string y = parts.add("Cast", {product}, 13);
  parts.setInt("to", /*FLOAT=*/1);
  y = parts.add("Mul", {y, parts.add("Mul", {scaleA, scaleB})});
  if (n.hasInput(bias))
    parts.add("Add", {y, parts.input(bias)});
  parts.finish();
}

/// DynamicQuantizeMatMul: a float left side, scaled at run time.
void importDynamicQuantizeMatMul(NodeContext &n) {
  n.expectInputs(3, 5);
  Parts parts(n);
  std::string a = parts.add("DynamicQuantizeLinear", {parts.input(0)}, 11);
  std::string scale = a + "@scale", point = a + "@zero_point";
  parts.last().outputs = {a, scale, point};
  std::string product = parts.add(
      "MatMulInteger", {a, parts.input(1), point, parts.input(3)}, 10);
  scaleProduct(n, parts, product, scale, parts.input(2), /*bias=*/4);
}

void importMatMulIntegerToFloat(NodeContext &n) {
  n.expectInputs(4, 7);
  Parts parts(n);
  std::string product = parts.add(
      "MatMulInteger",
      {parts.input(0), parts.input(1), parts.input(4), parts.input(5)}, 10);
  scaleProduct(n, parts, product, parts.input(2), parts.input(3), /*bias=*/6);
}

namespace {
/// The weight of MatMulNBits: `columns` rows of blocks of `bits` bits.
struct PackedBlocks {
  int64_t rows, columns, bits, block;

  int64_t blocks() const { return (rows + block - 1) / block; }
  /// Number `i` of those that begin at byte `first`, the low bits first.
  int64_t read(const Constant &bytes, int64_t first, int64_t i) const {
    int64_t byte = bytes.ints[first + i * bits / 8];
    return byte >> i * bits % 8 & ((int64_t(1) << bits) - 1);
  }
};
} // namespace

/// The weight as floats, rows by columns.
static Constant unpackBlocks(const PackedBlocks &form, const Constant &packed,
                             const Constant &scales, const Constant *points) {
  Constant weight;
  weight.shape = {form.rows, form.columns};
  weight.floats.resize(form.rows * form.columns);
  const int64_t blocks = form.blocks(), bytes = form.block * form.bits / 8;
  const int64_t pointBytes = (blocks * form.bits + 7) / 8;
  for (int64_t column = 0; column != form.columns; ++column)
    for (int64_t row = 0; row != form.rows; ++row) {
      int64_t block = row / form.block, at = column * blocks + block;
      int64_t point = points ? form.read(*points, column * pointBytes, block)
                             : int64_t(1) << (form.bits - 1);
      int64_t value = form.read(packed, at * bytes, row % form.block);
      weight.floats[row * form.columns + column] =
          scales.floats[at] * float(value - point);
    }
  return weight;
}

/// MatMul by a weight of 4 or 8 bits in blocks.
void importMatMulNBits(NodeContext &n) {
  n.expectInputs(3, 6);
  n.ignoreAttributes({"accuracy_level"});
  PackedBlocks form{n.intAttribute("K", 0), n.intAttribute("N", 0),
                    n.intAttribute("bits", 4), n.intAttribute("block_size", 0)};
  if (n.hasInput(4))
    n.unsupported("an order of groups (input 4)");
  ConstantRef packed = n.constant(1, "the weight");
  ConstantRef scales = n.floatConstant(2, "the scale");
  ConstantRef points =
      n.hasInput(3) ? n.constant(3, "the zero point") : nullptr;
  if (!n.ok())
    return;
  if ((form.bits != 4 && form.bits != 8) ||
      (points && points->element != Element::Int))
    return n.unsupported("other than 4 or 8 bits, or zero points as floats");
  if (form.block < 16 || form.block % 2 || form.rows < 1 || form.columns < 1 ||
      form.rows > kMaxElements / form.columns)
    return n.invalid("expects K, N and an even block_size of 16 or more");
  const int64_t count = form.columns * form.blocks();
  if (packed->element != Element::Int ||
      packed->size() != count * form.block * form.bits / 8 ||
      scales->size() != count ||
      (points &&
       points->size() != form.columns * ((form.blocks() * form.bits + 7) / 8)))
    return n.invalid("weight, scales and zero points do not fit K and N");
  std::string name = n.getNode().outputs.front() + "@weight";
  n.define(name, unpackBlocks(form, *packed, *scales, points.get()));
  Parts parts(n);
  std::string y = parts.add("MatMul", {parts.input(0), name}, 13);
  if (n.hasInput(5))
    parts.add("Add", {y, parts.input(5)}, 13);
  parts.finish();
}

/// Gelu, BiasGelu and FastGelu, whose bias is optional.
void importFusedGelu(NodeContext &n) {
  bool hasBias = n.opType() != "Gelu";
  n.expectInputs(n.opType() == "BiasGelu" ? 2 : 1, hasBias ? 2 : 1);
  Parts parts(n);
  std::string x = parts.input(0);
  if (n.hasInput(1))
    x = parts.add("Add", {x, parts.input(1)});
  parts.add("Gelu", {x}, 20);
  if (n.opType() == "FastGelu")
    parts.setText("approximate", "tanh");
  parts.finish();
}

/// `x sigmoid(alpha x)`.
void importQuickGelu(NodeContext &n) {
  n.expectInputs(1, 1);
  float alpha = n.floatAttribute("alpha", 1.702f);
  Parts parts(n);
  std::string x = parts.input(0);
  std::string gate = parts.add("Mul", {x, parts.number(alpha)});
  gate = parts.add("Sigmoid", {gate});
  parts.add("Mul", {x, gate});
  parts.finish();
}

/// The sum of input, skip and bias, normalized over the last axis.
void importSkipLayerNormalization(NodeContext &n) {
  bool isSimplified = n.opType() == "SkipSimplifiedLayerNormalization";
  n.expectInputs(3, isSimplified ? 4 : 5);
  float epsilon = n.floatAttribute("epsilon", isSimplified ? 1e-6f : 1e-12f);
  size_t bias = isSimplified ? 3 : 4;
  for (size_t i : {1, 2})
    if (n.isRead(i))
      n.unsupported("output " + std::to_string(i) + " is used");
  Parts parts(n);
  std::string sum = parts.add("Add", {parts.input(0), parts.input(1)});
  if (n.hasInput(bias))
    sum = parts.add("Add", {sum, parts.input(bias)});
  // Output 3 is the sum itself.
  bool readsSum = n.isRead(3);
  if (readsSum)
    parts.last().outputs = {n.getNode().outputs[3]};
  sum = parts.last().outputs.front();
  if (isSimplified)
    parts.add("RMSNormalization", {sum, parts.input(2)}, 23);
  else
    parts.add("LayerNormalization", {sum, parts.input(2), parts.input(3)}, 17);
  parts.setInt("axis", -1);
  parts.setFloat("epsilon", epsilon);
  parts.finish();
}

/// What RMSNormalization is since opset 23.
void importSimplifiedLayerNormalization(NodeContext &n) {
  n.expectInputs(2, 2);
  n.ignoreAttributes({"stash_type"});
  int64_t axis = n.intAttribute("axis", -1);
  float epsilon = n.floatAttribute("epsilon", 1e-5f);
  if (n.isRead(1))
    n.unsupported("output 1 is used");
  Parts parts(n);
  parts.add("RMSNormalization", {parts.input(0), parts.input(1)}, 23);
  parts.setInt("axis", axis);
  parts.setFloat("epsilon", epsilon);
  parts.finish();
}

} // namespace mlir::qopt::importer
