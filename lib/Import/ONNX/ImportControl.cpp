// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// If with a known condition and Loop with known trips: the graph that runs is
// imported in the node's place, once for each iteration.
#include "Importer.h"

#include "qopt/Support/Error.h"

namespace mlir::qopt::importer {

/// Limits of unrolling.
static constexpr int64_t kMaxTrips = 1024, kMaxUnrolledNodes = 200'000;

bool isControl(const Node &node) {
  return node.domain.empty() && (node.opType == "If" || node.opType == "Loop");
}

/// Whether `constant` is one integer or truth value.
static bool isScalar(const Constant &constant) {
  return constant.element != Element::Float && constant.ints.size() == 1;
}

static void checkScalar(NodeContext &n, size_t i, StringRef what) {
  ConstantRef constant = n.constant(i, what);
  if (n.ok() && !isScalar(*constant))
    n.invalid(what.str() + " (input " + std::to_string(i) +
              ") expects one integer or truth value");
}

void importIf(NodeContext &n) {
  n.expectInputs(1, 1);
  n.ignoreAttributes({"then_branch", "else_branch"});
  checkScalar(n, 0, "the condition");
}

void importLoop(NodeContext &n) {
  n.ignoreAttributes({"body"});
  if (n.hasInput(0))
    checkScalar(n, 0, "the trip count");
  if (n.ok() && n.hasInput(1))
    checkScalar(n, 1, "the condition");
}

static llvm::Error invalid(const Node &node, const std::string &why) {
  return makeError(206, "operator " + quoted(node.opType) + " (node " +
                            quoted(node.name) + "): " + why);
}

static llvm::Error unsupported(const Node &node, const std::string &why) {
  return makeError(302, "operator " + quoted(node.opType) + " (node " +
                            quoted(node.name) +
                            ") is not supported in this form: " + why);
}

void Importer::setOutput(const Node &node, size_t i, const Entry &entry) {
  if (!node.outputs[i].empty())
    state.entries[node.outputs[i]] = entry;
}

llvm::Error Importer::runBody(const Node &node, const Subgraph &body) {
  unrolledNodes += body.nodes.size();
  if (unrolledNodes > kMaxUnrolledNodes)
    return makeError(209, "node " + quoted(node.name) +
                              " unrolls to more than " +
                              std::to_string(kMaxUnrolledNodes) + " nodes");
  enterConstants(body.constants);
  for (const Node &inner : body.nodes)
    importNode(inner);
  return llvm::Error::success();
}

llvm::Error Importer::expandControl(const Node &node) {
  return node.opType == "If" ? expandIf(node) : expandLoop(node);
}

llvm::Error Importer::expandIf(const Node &node) {
  bool taken = state.entries[node.inputs.front()].constant->ints.front() != 0;
  std::string name = taken ? "then_branch" : "else_branch";
  auto found = node.graphs.find(name);
  if (found == node.graphs.end())
    return invalid(node, "the graph '" + name + "' is missing");
  const Subgraph &branch = *found->second;
  if (branch.outputs.size() < node.outputs.size())
    return invalid(node, "expects " + std::to_string(node.outputs.size()) +
                             " outputs of '" + name + "', but got " +
                             std::to_string(branch.outputs.size()));
  if (auto error = runBody(node, branch))
    return error;
  for (size_t i = 0; i != node.outputs.size(); ++i)
    setOutput(node, i, state.entries[branch.outputs[i]]);
  return llvm::Error::success();
}

static Entry constantEntry(Constant constant, const std::string &name) {
  Entry entry;
  entry.kind = Entry::Kind::Constant;
  constant.name = name;
  entry.constant = std::make_shared<Constant>(std::move(constant));
  return entry;
}

namespace {

/// The checked parts of one Loop.
struct LoopParts {
  const Subgraph *body = nullptr;
  size_t carried = 0, scans = 0;
  std::optional<int64_t> trips;
  bool go = true;
};

} // namespace

static Expected<LoopParts> checkLoop(const Node &node, ImportState &state) {
  LoopParts parts;
  auto found = node.graphs.find("body");
  if (found == node.graphs.end())
    return invalid(node, "the graph 'body' is missing");
  parts.body = found->second.get();
  parts.carried = std::max<size_t>(node.inputs.size(), 2) - 2;
  if (parts.body->inputs.size() != parts.carried + 2 ||
      parts.body->outputs.size() < parts.carried + 1 ||
      node.outputs.size() > parts.body->outputs.size() - 1)
    return invalid(node, "the body's inputs and outputs do not fit");
  parts.scans = parts.body->outputs.size() - 1 - parts.carried;
  auto scalar = [&](size_t i) -> std::optional<int64_t> {
    if (i >= node.inputs.size() || node.inputs[i].empty())
      return std::nullopt;
    return state.entries[node.inputs[i]].constant->ints.front();
  };
  parts.trips = scalar(0);
  parts.go = scalar(1).value_or(1) != 0;
  return parts;
}

llvm::Error Importer::expandLoop(const Node &node) {
  auto parts = checkLoop(node, state);
  if (!parts)
    return parts.takeError();
  const Subgraph &body = *parts->body;
  std::vector<Entry> values;
  for (size_t i = 0; i != parts->carried; ++i)
    values.push_back(state.entries[node.inputs[2 + i]]);
  std::vector<std::vector<Entry>> scans(parts->scans);
  bool go = parts->go, known = true;
  for (int64_t trip = 0; go && trip < parts->trips.value_or(INT64_MAX);
       ++trip) {
    if (trip == kMaxTrips)
      return unsupported(node, "more than " + std::to_string(kMaxTrips) +
                                   " iterations");
    Constant truth = intConstant({}, {1});
    truth.element = Element::Bool;
    state.entries[body.inputs[0]] =
        constantEntry(intConstant({}, {trip}), body.inputs[0]);
    state.entries[body.inputs[1]] =
        constantEntry(std::move(truth), body.inputs[1]);
    for (size_t i = 0; i != parts->carried; ++i)
      state.entries[body.inputs[2 + i]] = values[i];
    if (auto error = runBody(node, body))
      return error;
    Entry next = state.entries[body.outputs[0]];
    if (next.kind == Entry::Kind::Activation)
      return unsupported(node, "the condition is computed at run time");
    // What left the condition unknown has been reported.
    known = next.kind == Entry::Kind::Constant;
    if (!known)
      break;
    if (!isScalar(*next.constant))
      return invalid(node, "the body's condition expects one truth value");
    go = next.constant->ints.front() != 0;
    for (size_t i = 0; i != parts->carried; ++i)
      values[i] = state.entries[body.outputs[1 + i]];
    for (size_t i = 0; i != parts->scans; ++i)
      scans[i].push_back(state.entries[body.outputs[1 + parts->carried + i]]);
  }
  Entry unknown;
  unknown.dependsOnData = true;
  for (size_t i = 0; i != node.outputs.size(); ++i) {
    if (!known)
      setOutput(node, i, unknown);
    else if (i < parts->carried)
      setOutput(node, i, values[i]);
    else if (!scans[i - parts->carried].empty())
      stackScan(node, node.outputs[i], scans[i - parts->carried]);
    else if (graph.used.contains(node.outputs[i]))
      return unsupported(node, "output " + std::to_string(i) +
                                   " is used and has no iterations");
  }
  return llvm::Error::success();
}

/// A scan output: the slices of all iterations along a new leading axis.
void Importer::stackScan(const Node &node, const std::string &output,
                         ArrayRef<Entry> slices) {
  if (output.empty() || !graph.used.contains(output))
    return;
  Node unsqueeze, concat;
  for (Node *made : {&unsqueeze, &concat}) {
    made->name = node.name;
    // Axes are an attribute up to opset 12.
    made->opset = 12;
  }
  unsqueeze.opType = "Unsqueeze";
  unsqueeze.attributes["axes"].kind = NodeAttribute::Kind::Ints;
  unsqueeze.attributes["axes"].ints = {0};
  concat.opType = "Concat";
  concat.attributes["axis"].kind = NodeAttribute::Kind::Int;
  concat.outputs = {output};
  // These nodes are not the model's.
  ModelFigures *saved = std::exchange(figures, nullptr);
  for (auto [i, slice] : llvm::enumerate(slices)) {
    std::string name = output + "@" + std::to_string(i);
    state.entries[name] = slice;
    unsqueeze.inputs = {name};
    unsqueeze.outputs = {name + "@row"};
    importNode(unsqueeze);
    concat.inputs.push_back(name + "@row");
  }
  importNode(concat);
  figures = saved;
}

void Importer::reportInside(const Node &node) {
  for (const auto &[name, subgraph] : node.graphs)
    for (const Node &inner : subgraph->nodes) {
      bool known = lookupOp(operatorName(inner), inner.opset);
      if (!known && figures)
        addFigures(inner, nullptr, false, unknownOperator(inner, node.name));
      else if (!known)
        report(unknownOperator(inner, node.name));
      reportInside(inner);
    }
}

} // namespace mlir::qopt::importer
