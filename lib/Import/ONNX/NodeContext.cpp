// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checked access to a node, constants as ops, results and their names.
#include "NodeContext.h"
#include "Registry.h"

#include "Quantized.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

namespace mlir::qopt::importer {

using Kind = NodeAttribute::Kind;

//===----------------------------------------------------------------------===//
// ImportState
//===----------------------------------------------------------------------===//

std::string ImportState::uniqueValueName(const std::string &name) {
  std::string unique = name;
  for (unsigned i = 2; !valueNames.insert(unique).second; ++i)
    unique = name + "_" + std::to_string(i);
  return unique;
}

/// A name that the textual resource section prints without quotes.
static std::string resourceName(StringRef name) {
  std::string result;
  for (char c : name)
    result += llvm::isAlnum(c) || c == '_' || c == '.' ? c : '_';
  if (result.empty() || !(llvm::isAlpha(result[0]) || result[0] == '_'))
    result.insert(result.begin(), '_');
  return result;
}

std::string ImportState::uniqueResourceName(StringRef name) {
  std::string base = resourceName(name), unique = base;
  for (unsigned i = 2; !resourceNames.insert(unique).second; ++i)
    unique = base + "_" + std::to_string(i);
  return unique;
}

Value ImportState::materialize(const ConstantRef &constant, Location loc) {
  if (auto found = materialized.find(constant); found != materialized.end())
    return found->second;
  if (Value value = materializeQuantized(*this, *constant, loc)) {
    materialized[constant] = value;
    return value;
  }
  auto type = RankedTensorType::get(constant->shape, builder.getF32Type());
  ElementsAttr attr;
  constexpr size_t inlineBytes = 64;
  size_t bytes = constant->floats.size() * sizeof(float);
  if (bytes < inlineBytes) {
    attr = DenseElementsAttr::get(type, ArrayRef(constant->floats));
  } else {
    std::string name = uniqueResourceName(constant->name);
    ArrayRef<char> data(reinterpret_cast<const char *>(constant->floats.data()),
                        bytes);
    // The blob shares the constant's memory: models are hundreds of megabytes.
    attr = DenseResourceElementsAttr::get(
        type, name,
        AsmResourceBlob(
            data, alignof(float), [constant](void *, size_t, size_t) {},
            /*dataIsMutable=*/false));
  }
  auto op = ConstantOp::create(builder, loc, type, attr);
  op->setAttr("qopt.value",
              builder.getStringAttr(uniqueValueName(constant->name)));
  materialized[constant] = op;
  return op;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

NodeContext::NodeContext(ImportState &state, const Node &node)
    : state(state), node(node),
      loc(NameLoc::get(state.builder.getStringAttr(node.name))) {}

std::string NodeContext::modelOp() const {
  if (!node.origin.empty())
    return node.origin;
  return node.domain.empty() ? node.opType : node.domain + "." + node.opType;
}

std::string NodeContext::where() const {
  return "operator " + quoted(modelOp()) + " (node " + quoted(node.name) +
         ", opset " + std::to_string(opset()) + ")";
}

void NodeContext::fail(llvm::Error e) {
  if (failed) {
    llvm::consumeError(std::move(e));
    return;
  }
  failed = true;
  error = std::move(e);
}

void NodeContext::unsupported(const std::string &why) {
  std::vector<std::string> notes;
  if (const OpEntry *op = lookupOp(modelOp(), opset()))
    notes.push_back("supported: " + std::string(op->supported));
  fail(makeError(302, where() + " is not supported in this form: " + why,
                 std::move(notes)));
}

void NodeContext::invalid(const std::string &why) { refuse(206, why); }

void NodeContext::refuse(int code, const std::string &why) {
  fail(makeError(code, where() + ": " + why));
}

void NodeContext::invalid(llvm::Error e) {
  invalid(llvm::toString(std::move(e)));
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

bool NodeContext::hasAttribute(StringRef name) const {
  return node.attributes.count(name.str());
}

const NodeAttribute *NodeContext::attribute(StringRef name, Kind kind,
                                            StringRef kindName) {
  knownAttributes.insert(name);
  auto found = node.attributes.find(name.str());
  if (found == node.attributes.end())
    return nullptr;
  if (found->second.kind == kind)
    return &found->second;
  invalid("attribute " + quoted(name) + " expects " + kindName.str());
  return nullptr;
}

int64_t NodeContext::intAttribute(StringRef name, int64_t defaultValue) {
  const NodeAttribute *value = attribute(name, Kind::Int, "an integer");
  return value ? value->i : defaultValue;
}

float NodeContext::floatAttribute(StringRef name, float defaultValue) {
  const NodeAttribute *value = attribute(name, Kind::Float, "a float");
  if (value && std::isnan(value->f))
    invalid("attribute " + quoted(name) + " is not a number");
  return value ? value->f : defaultValue;
}

std::string NodeContext::stringAttribute(StringRef name,
                                         StringRef defaultValue) {
  const NodeAttribute *value = attribute(name, Kind::String, "a string");
  return value ? value->s : defaultValue.str();
}

std::optional<Shape> NodeContext::intsAttribute(StringRef name) {
  const NodeAttribute *value = attribute(name, Kind::Ints, "integers");
  if (!value)
    return std::nullopt;
  return Shape(value->ints.begin(), value->ints.end());
}

std::vector<float> NodeContext::floatsAttribute(StringRef name) {
  const NodeAttribute *value = attribute(name, Kind::Floats, "floats");
  return value ? value->floats : std::vector<float>();
}

ConstantRef NodeContext::tensorAttribute(StringRef name) {
  const NodeAttribute *value = attribute(name, Kind::Tensor, "a tensor");
  return value ? value->tensor : nullptr;
}

void NodeContext::ignoreAttributes(ArrayRef<StringRef> names) {
  for (StringRef name : names)
    knownAttributes.insert(name);
}

void NodeContext::checkAttributes() {
  for (const auto &[name, value] : node.attributes)
    if (!knownAttributes.contains(name))
      unsupported("attribute " + quoted(name) + " is not known in opset " +
                  std::to_string(opset()));
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

void NodeContext::expectInputs(size_t min, size_t max) {
  size_t count = node.inputs.size();
  if (count > max)
    invalid("expects at most " + std::to_string(max) + " inputs, but got " +
            std::to_string(count));
  for (size_t i = 0; i != min; ++i)
    if (!hasInput(i))
      invalid("input " + std::to_string(i) + " is missing");
}

bool NodeContext::isRead(size_t i) const {
  return i < node.outputs.size() && !node.outputs[i].empty() &&
         state.graph.used.contains(node.outputs[i]);
}

void NodeContext::expectOneOutput() {
  if (node.outputs.empty() || node.outputs.front().empty())
    invalid("expects an output");
  for (size_t i = 1; i < node.outputs.size(); ++i)
    if (isRead(i))
      unsupported("output " + std::to_string(i) + " (" +
                  quoted(node.outputs[i]) + ") is used");
}

bool NodeContext::hasInput(size_t i) const {
  return i < node.inputs.size() && !node.inputs[i].empty();
}

const Entry &NodeContext::entry(size_t i) const {
  static const Entry unknown;
  if (!hasInput(i))
    return unknown;
  auto found = state.entries.find(node.inputs[i]);
  return found == state.entries.end() ? unknown : found->second;
}

bool NodeContext::isConstant(size_t i) const {
  return entry(i).kind == Entry::Kind::Constant;
}

bool NodeContext::dependsOnData(size_t i) const {
  const Entry &e = entry(i);
  return e.kind == Entry::Kind::Activation ||
         (e.kind == Entry::Kind::Unknown && e.dependsOnData);
}

bool NodeContext::allInputsConstant() const {
  for (size_t i = 0; i != node.inputs.size(); ++i)
    if (hasInput(i) && !isConstant(i))
      return false;
  return true;
}

ConstantRef NodeContext::constant(size_t i, StringRef what) {
  static const ConstantRef empty = std::make_shared<Constant>();
  const Entry &e = entry(i);
  if (e.kind == Entry::Kind::Constant)
    return unpack(e.constant);
  if (!hasInput(i))
    invalid("input " + std::to_string(i) + " is missing");
  else if (dependsOnData(i))
    unsupported(what.str() + " (input " + std::to_string(i) +
                ") is not a constant");
  // The node that left the value unknown has been reported.
  failed = true;
  return empty;
}

void NodeContext::notFloat(const std::string &what) {
  // Beside a value that is not known, this may be shape arithmetic, and the
  // node that left it unknown has been reported.
  for (size_t i = 0; i != node.inputs.size(); ++i)
    failed |= hasInput(i) && entry(i).kind == Entry::Kind::Unknown;
  unsupported(what + " is not a float tensor");
}

/// `constant`, its minus infinities the least float where they are masks. Other
/// values must be finite.
ConstantRef NodeContext::finite(const ConstantRef &constant) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const bool masks = (opType() == "Add" || opType() == "Where") &&
                     llvm::all_of(node.outputs, [&](const std::string &name) {
                       return state.logits.contains(name);
                     });
  bool isMask = false;
  for (auto [i, value] : llvm::enumerate(constant->floats)) {
    isMask |= masks && value == -infinity;
    if (std::isfinite(value) || (masks && value == -infinity))
      continue;
    refuse(207, "tensor " + quoted(constant->name) + " holds " +
                    (std::isnan(value) ? "NaN" : "infinity") + " at index " +
                    std::to_string(i));
    return constant;
  }
  if (!isMask)
    return constant;
  auto bounded = std::make_shared<Constant>(*constant);
  llvm::replace(bounded->floats, -infinity,
                std::numeric_limits<float>::lowest());
  return bounded;
}

ConstantRef NodeContext::floatConstant(size_t i, StringRef what) {
  ConstantRef result = constant(i, what);
  if (failed)
    return result;
  if (result->element != Element::Float)
    notFloat(what.str() + " (input " + std::to_string(i) + ")");
  return finite(result);
}

Shape NodeContext::intsConstant(size_t i, StringRef what) {
  ConstantRef result = constant(i, what);
  if (failed)
    return {};
  if (result->element != Element::Int || result->shape.size() > 1)
    invalid(what.str() + " (input " + std::to_string(i) +
            ") expects a list of integers");
  return Shape(result->ints.begin(), result->ints.end());
}

Value NodeContext::activation(size_t i) {
  const Entry &e = entry(i);
  if (e.dynamic) {
    unsupported("input " + std::to_string(i) +
                " belongs to a dynamic quantization");
    return Value();
  }
  if (holdsIntegers(i) && !checkMove(e.quantization, i))
    return Value();
  if (e.kind == Entry::Kind::Activation)
    return e.value;
  if (!hasInput(i))
    invalid("input " + std::to_string(i) + " is missing");
  if (e.kind == Entry::Kind::Unknown || failed) {
    failed = true;
    return Value();
  }
  if (e.constant->element != Element::Float) {
    notFloat("input " + std::to_string(i));
    return Value();
  }
  return emitConstant(e.constant);
}

Value NodeContext::boolActivation(size_t i) {
  if (failed || !isConstant(i) || entry(i).constant->element != Element::Bool)
    return activation(i);
  Expected<Constant> floats = foldCast(*entry(i).constant, 1);
  ConstantRef constant = derive(std::move(floats), node.inputs[i] + "@float");
  return failed ? Value() : emitConstant(constant);
}

Shape NodeContext::shapeOf(Value value) {
  if (!value)
    return {};
  return Shape(cast<RankedTensorType>(value.getType()).getShape());
}

Shape NodeContext::shapeOf(size_t i) {
  const Entry &e = entry(i);
  if (e.kind == Entry::Kind::Activation && !e.dynamic)
    return shapeOf(e.value);
  if (e.kind == Entry::Kind::Constant)
    return e.constant->shape;
  if (e.dynamic)
    unsupported("input " + std::to_string(i) +
                " belongs to a dynamic quantization");
  if (!hasInput(i))
    invalid("input " + std::to_string(i) + " is missing");
  failed = true;
  return {};
}

//===----------------------------------------------------------------------===//
// Results and emission
//===----------------------------------------------------------------------===//

void NodeContext::setResult(Value value) {
  result.kind = value ? Entry::Kind::Activation : Entry::Kind::Unknown;
  result.value = value;
}

void NodeContext::setBoolResult(Value value) {
  setResult(value);
  result.isBool = true;
}

void NodeContext::setWholeResult(Value value, int64_t bound) {
  setResult(value);
  result.wholeBelow = bound;
}

ConstantRef NodeContext::derive(Expected<Constant> constant, StringRef name) {
  static const ConstantRef empty = std::make_shared<Constant>();
  if (!constant) {
    invalid(constant.takeError());
    return empty;
  }
  // Weights are rewritten a few times at most; what exceeds this is a bomb.
  uint64_t budget = (uint64_t(1) << 26) + 2 * state.graph.bytes;
  state.foldedElements += constant->size();
  if (uint64_t(state.foldedElements) > budget) {
    refuse(209, "folding constants exceeds the limit of " +
                    std::to_string(budget) + " elements");
    return empty;
  }
  constant->name = name.str();
  return std::make_shared<Constant>(std::move(*constant));
}

void NodeContext::setResult(Expected<Constant> constant) {
  std::string name = node.outputs.empty() ? node.name : node.outputs.front();
  result.constant = derive(std::move(constant), name);
  result.kind = Entry::Kind::Constant;
}

void NodeContext::setResult(const Constant &constant) {
  setResult(Expected<Constant>(constant));
}

void NodeContext::setConstantResult(size_t i, Constant constant) {
  if (others.size() < i)
    others.resize(i);
  others[i - 1].kind = Entry::Kind::Constant;
  others[i - 1].constant =
      std::make_shared<const Constant>(std::move(constant));
}

void NodeContext::setResults(ArrayRef<Value> values) {
  for (auto [i, value] : llvm::enumerate(values)) {
    Entry &entry = i == 0 ? result : others.emplace_back();
    entry.kind = value ? Entry::Kind::Activation : Entry::Kind::Unknown;
    entry.value = value;
  }
}

void NodeContext::setResults(ArrayRef<ConstantRef> constants) {
  for (auto [i, constant] : llvm::enumerate(constants)) {
    Entry &entry = i == 0 ? result : others.emplace_back();
    entry.kind = Entry::Kind::Constant;
    entry.constant = constant;
  }
}

void NodeContext::forward(size_t i) { result = entry(i); }

RankedTensorType NodeContext::resultType(ArrayRef<int64_t> shape) {
  if (failed)
    return {};
  std::optional<int64_t> count = countElements(shape);
  if (!count || *count == 0 || shape.size() > kMaxRank) {
    refuse(209, "a result of shape " + formatShape(shape) +
                    " is empty or exceeds 2^31 - 1 elements or rank " +
                    std::to_string(kMaxRank));
    return {};
  }
  return RankedTensorType::get(shape, state.builder.getF32Type());
}

Value NodeContext::emitConstant(const ConstantRef &constant) {
  ConstantRef values = finite(constant);
  if (!resultType(constant->shape))
    return Value();
  return state.materialize(values, loc);
}

Value NodeContext::reshape(Value value, ArrayRef<int64_t> shape) {
  if (failed || ArrayRef<int64_t>(shapeOf(value)) == shape)
    return value;
  return create<ReshapeOp>(shape, value);
}

FnAttr NodeContext::fn(Function function, ArrayRef<double> params) {
  return FnAttr::get(state.builder.getContext(), function, params);
}

Value NodeContext::unary(Value value, Function function,
                         ArrayRef<double> params) {
  return chain(value, Step{function, SmallVector<double, 2>(params)});
}

Value NodeContext::chain(Value value, ArrayRef<Step> steps) {
  for (const Step &step : steps)
    for (double param : step.params)
      if (std::isnan(param))
        refuse(207, "a parameter is not a number");
  if (failed)
    return Value();
  SmallVector<Attribute> functions;
  for (const Step &step : steps)
    functions.push_back(fn(step.function, step.params));
  return create<UnaryOp>(shapeOf(value), value,
                         ArrayAttr::get(state.builder.getContext(), functions));
}

llvm::Error NodeContext::finish() {
  const std::string name =
      node.outputs.empty() ? std::string() : node.outputs.front();
  if (failed) {
    result = Entry();
    bool readsValues = node.opType != "Shape" && node.opType != "Size";
    for (size_t i = 0; readsValues && i != node.inputs.size(); ++i)
      result.dependsOnData |= dependsOnData(i);
    for (const std::string &capture : node.captures) {
      auto found = state.entries.find(capture);
      result.dependsOnData |= found != state.entries.end() &&
                              (found->second.kind == Entry::Kind::Activation ||
                               found->second.dependsOnData);
    }
  }
  // What moves a bool gives a bool.
  bool mayMove = node.opType != "Cast" && node.opType != "Where";
  result.isBool |= !failed && mayMove && isBool(0);
  // So do positions, but other operands may join them.
  if (!failed && movesIntegers(node.opType) && node.opType != "Concat")
    result.wholeBelow = wholeBelow(0);
  // Outputs without results of their own are unknown, and nothing reads them.
  auto entryOf = [&](size_t output) {
    if (failed || output == 0)
      return result;
    return output <= others.size() ? others[output - 1] : Entry();
  };
  if (result.kind == Entry::Kind::Activation && moved)
    result.quantization = moved;
  for (Entry &other : others)
    if (other.kind == Entry::Kind::Activation && moved)
      other.quantization = moved;
  for (Operation *op : created) {
    std::string value = name + "@" + op->getName().stripDialect().str();
    for (size_t i = node.outputs.size(); i-- > 0;)
      if (Value output = entryOf(i).value;
          output && op == output.getDefiningOp())
        value = node.outputs[i];
    op->setAttr("qopt.value",
                state.builder.getStringAttr(state.uniqueValueName(value)));
  }
  for (auto [i, output] : llvm::enumerate(node.outputs))
    if (!output.empty())
      state.entries[output] = entryOf(i);
  if (error)
    return std::move(*error);
  return llvm::Error::success();
}

} // namespace mlir::qopt::importer
