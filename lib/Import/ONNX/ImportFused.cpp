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

/// FusedConv and FusedGemm: the operator, then an activation.
void importFusedLayer(NodeContext &n) {
  bool isConv = n.opType() == "FusedConv";
  n.expectInputs(2, 3);
  if (isConv && n.hasInput(3))
    n.unsupported("a summand (input 3)");
  Parts parts(n);
  std::string y = parts.add(isConv ? "Conv" : "Gemm",
                            {parts.input(0), parts.input(1), parts.input(2)});
  for (const auto &[name, value] : n.getNode().attributes)
    if (!StringRef(name).starts_with("activation"))
      parts.last().attributes[name] = value;
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

} // namespace mlir::qopt::importer
