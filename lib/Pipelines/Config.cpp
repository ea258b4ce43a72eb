// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The config file as YAML, and its rules applied to observers.

#include "qopt/Pipelines/Config.h"
#include "qopt/IR/Qopt.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Transforms/Weights.h"
#include "qopt/Transforms/WideValues.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/GlobPattern.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLTraits.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

namespace {

/// A scalar that the parser of a flag takes.
using FlagParser = llvm::Error (*)(StringRef, CompileOptions &);
template <FlagParser parse> struct Word {
  std::string text;
};

struct BitCount {
  int bits = 8;
};

/// A whole number that the parser of a flag takes.
template <FlagParser parse> struct Number {
  int64_t value = 0;
};

/// One entry of `values`, as it is written.
struct WrittenRule {
  std::optional<std::string> name, op;
  std::optional<Word<parseRange>> range;
  std::optional<Word<parseScales>> scales;
  std::optional<BitCount> bits;
  std::optional<bool> symmetric, perChannel;
  std::optional<Number<parseWeightBits>> weightBits;
  std::optional<Number<parseWeightGroup>> weightGroup;
  const char *position = nullptr;
};

struct WrittenConfig {
  int version = 1;
  std::optional<Word<parseRange>> range;
  std::optional<Word<parseScales>> scales;
  std::optional<Word<parseActivations>> activations;
  std::optional<Word<parseWeights>> weights;
  std::optional<Number<parseWeightBits>> weightBits;
  std::optional<Number<parseWeightGroup>> weightGroup;
  std::optional<Word<parseWeightRounding>> weightRounding;
  std::optional<Word<parseWeightScaling>> weightScaling;
  std::optional<Word<parseBiasCorrection>> biasCorrection;
  std::optional<Word<parseFuseActivations>> fuseActivations;
  std::optional<Word<parseTargetSqnr>> targetSqnr;
  std::optional<Word<parseMaxSlowdown>> maxSlowdown;
  std::optional<std::string> plan;
  std::vector<WrittenRule> values;
};

/// Keeps what a scalar's parser said alive for the reader.
struct Reading {
  std::string refusal;
};

std::string messageOf(llvm::Error error) {
  std::string message;
  llvm::handleAllErrors(std::move(error), [&](const QoptError &one) {
    message = one.getMessage().str();
  });
  return message;
}

} // namespace

LLVM_YAML_IS_SEQUENCE_VECTOR(WrittenRule)

namespace llvm::yaml {

template <FlagParser parse> struct ScalarTraits<Word<parse>> {
  static void output(const Word<parse> &word, void *, raw_ostream &os) {
    os << word.text;
  }
  static StringRef input(StringRef text, void *context, Word<parse> &word) {
    CompileOptions ignored;
    auto &refusal = static_cast<Reading *>(context)->refusal;
    refusal = messageOf(parse(text, ignored));
    word.text = text.str();
    return refusal;
  }
  static QuotingType mustQuote(StringRef text) {
    double number;
    return text.getAsDouble(number) ? needsQuotes(text) : QuotingType::None;
  }
};

template <FlagParser parse> struct ScalarTraits<Number<parse>> {
  static void output(const Number<parse> &number, void *, raw_ostream &os) {
    os << number.value;
  }
  static StringRef input(StringRef text, void *context, Number<parse> &number) {
    CompileOptions ignored;
    auto &refusal = static_cast<Reading *>(context)->refusal;
    refusal = messageOf(parse(text, ignored));
    if (refusal.empty() && text.getAsInteger(10, number.value))
      refusal = "expects a number";
    return refusal;
  }
  static QuotingType mustQuote(StringRef) { return QuotingType::None; }
};

template <> struct ScalarTraits<BitCount> {
  static void output(const BitCount &count, void *, raw_ostream &os) {
    os << count.bits;
  }
  static StringRef input(StringRef text, void *, BitCount &count) {
    if (text.getAsInteger(10, count.bits) || count.bits < 8 || count.bits > 16)
      return "expects 8 to 16 bits";
    return "";
  }
  static QuotingType mustQuote(StringRef) { return QuotingType::None; }
};

template <> struct MappingTraits<WrittenRule> {
  static void mapping(IO &io, WrittenRule &rule) {
    if (!io.outputting())
      rule.position = static_cast<Input &>(io)
                          .getCurrentNode()
                          ->getSourceRange()
                          .Start.getPointer();
    io.mapOptional("name", rule.name);
    io.mapOptional("op", rule.op);
    io.mapOptional("range", rule.range);
    io.mapOptional("scales", rule.scales);
    io.mapOptional("bits", rule.bits);
    io.mapOptional("symmetric", rule.symmetric);
    io.mapOptional("per-channel", rule.perChannel);
    io.mapOptional("weight-bits", rule.weightBits);
    io.mapOptional("weight-group", rule.weightGroup);
  }
};

template <> struct MappingTraits<WrittenConfig> {
  static void mapping(IO &io, WrittenConfig &config) {
    io.mapRequired("version", config.version);
    io.mapOptional("range", config.range);
    io.mapOptional("scales", config.scales);
    io.mapOptional("activations", config.activations);
    io.mapOptional("weights", config.weights);
    io.mapOptional("weight-bits", config.weightBits);
    io.mapOptional("weight-group", config.weightGroup);
    io.mapOptional("weight-rounding", config.weightRounding);
    io.mapOptional("weight-scaling", config.weightScaling);
    io.mapOptional("bias-correction", config.biasCorrection);
    io.mapOptional("fuse-activations", config.fuseActivations);
    io.mapOptional("target-sqnr", config.targetSqnr);
    io.mapOptional("max-slowdown", config.maxSlowdown);
    io.mapOptional("plan", config.plan);
    io.mapOptional("values", config.values);
  }
};

} // namespace llvm::yaml

/// `quant.yaml:3:8` of a place in `text`.
static std::string describePosition(StringRef path, StringRef text,
                                    const char *position) {
  StringRef before = text.take_front(position - text.data());
  const size_t lineStart = before.rfind('\n') + 1; // 0 where there is none.
  return (path + ":" + Twine(before.count('\n') + 1) + ":" +
          Twine(before.size() - lineStart + 1))
      .str();
}

static llvm::Error refuse(StringRef where, const Twine &what,
                          std::vector<std::string> notes = {}) {
  return makeError(143, (where + ": " + what).str(), std::move(notes),
                   "docs/cli.md lists the keys; --save-config writes a file");
}

/// Keeps the first message.
static void collect(const llvm::SMDiagnostic &diagnostic, void *first) {
  auto &kept = *static_cast<std::optional<llvm::SMDiagnostic> *>(first);
  if (!kept)
    kept = diagnostic;
}

static llvm::Expected<WrittenConfig> read(StringRef path, StringRef text) {
  Reading reading;
  std::optional<llvm::SMDiagnostic> problem;
  llvm::yaml::Input input(text, &reading, collect, &problem);
  WrittenConfig config;
  input >> config;
  if (problem) {
    std::vector<std::string> notes;
    if (!problem->getLineContents().empty())
      notes.push_back("the line is: " + problem->getLineContents().str());
    return refuse((path + ":" + Twine(problem->getLineNo()) + ":" +
                   Twine(problem->getColumnNo() + 1))
                      .str(),
                  problem->getMessage(), std::move(notes));
  }
  if (input.error())
    return refuse(path, "expects a mapping with the key 'version'");
  if (config.version != 1)
    return refuse(path, "expects version 1, but got " + Twine(config.version));
  return config;
}

template <FlagParser parse>
static void take(const std::optional<Word<parse>> &word,
                 CompileOptions &options) {
  // It was parsed when it was read.
  if (word)
    llvm::cantFail(parse(word->text, options));
}

template <FlagParser parse>
static void take(const std::optional<Number<parse>> &number,
                 CompileOptions &options) {
  if (number)
    llvm::cantFail(parse(std::to_string(number->value), options));
}

llvm::Error mlir::qopt::pipelines::loadConfig(StringRef path,
                                              CompileOptions &options) {
  auto buffer = readFile(path);
  if (!buffer)
    return buffer.takeError();
  StringRef text = (*buffer)->getBuffer();
  auto config = read(path, text);
  if (!config)
    return config.takeError();
  take(config->range, options);
  take(config->scales, options);
  take(config->activations, options);
  take(config->weights, options);
  take(config->weightBits, options);
  take(config->weightGroup, options);
  take(config->weightRounding, options);
  take(config->weightScaling, options);
  take(config->biasCorrection, options);
  take(config->fuseActivations, options);
  take(config->targetSqnr, options);
  take(config->maxSlowdown, options);
  if (config->plan)
    options.plan = *config->plan;
  for (const WrittenRule &written : config->values) {
    ValueRule rule;
    rule.where = describePosition(path, text, written.position);
    if (!written.name && !written.op)
      return refuse(rule.where, "expects 'name' or 'op' in a rule");
    rule.name = written.name;
    rule.op = written.op;
    CompileOptions own;
    take(written.range, own);
    take(written.scales, own);
    if (written.range)
      rule.range = own.range;
    if (written.scales)
      rule.powerOfTwo = own.powerOfTwo;
    if (written.bits)
      rule.bits = written.bits->bits;
    rule.symmetric = written.symmetric;
    rule.perChannel = written.perChannel;
    if (written.weightBits)
      rule.weightBits = static_cast<int>(written.weightBits->value);
    if (written.weightGroup)
      rule.weightGroup = written.weightGroup->value;
    if (rule.bits > 8 && rule.symmetric == false)
      return refuse(rule.where, "expects more than 8 bits to be symmetric");
    options.rules.push_back(std::move(rule));
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Its rules
//===----------------------------------------------------------------------===//

/// `MaxPool` and `max_pool` are one kind.
static std::string foldKind(StringRef kind) {
  std::string folded = kind.lower();
  llvm::erase(folded, '_');
  return folded;
}

/// The kind of op whose result `observe` sees.
static StringRef getKind(ObserveOp observe) {
  Operation *op = observe.getInput().getDefiningOp();
  return op ? op->getName().stripDialect() : "input";
}

/// The layer whose result `observe` sees; null for anything else.
static QuantizableOpInterface getLayer(ObserveOp observe) {
  auto op = observe.getInput().getDefiningOp<QuantizableOpInterface>();
  return op && op.getWeightOperand() ? op : QuantizableOpInterface();
}

/// The observers that `rule` names: by the very name of one, else by pattern.
static llvm::Expected<SmallVector<ObserveOp>>
select(const ValueRule &rule, ArrayRef<ObserveOp> observers) {
  SmallVector<ObserveOp> selected;
  for (ObserveOp op : observers)
    if (!rule.op || foldKind(*rule.op) == foldKind(getKind(op)))
      selected.push_back(op);
  if (!rule.name)
    return selected;
  auto isNamed = [&](ObserveOp op) { return op.getId() == *rule.name; };
  if (llvm::any_of(observers, isNamed)) {
    llvm::erase_if(selected, [&](ObserveOp op) { return !isNamed(op); });
    return selected;
  }
  auto pattern = llvm::GlobPattern::create(*rule.name, /*MaxSubPatterns=*/64);
  if (!pattern)
    return makeError(
        144, rule.where + ": '" + *rule.name +
                 "' is no pattern: " + llvm::toString(pattern.takeError()));
  llvm::erase_if(selected,
                 [&](ObserveOp op) { return !pattern->match(op.getId()); });
  return selected;
}

static void editLayer(QuantizableOpInterface layer, const ValueRule &rule) {
  Builder builder(layer.getContext());
  if (rule.perChannel)
    layer->setAttr(perChannelAttr, builder.getBoolAttr(*rule.perChannel));
  if (rule.weightBits)
    layer->setAttr(weightBitsAttr, builder.getI64IntegerAttr(*rule.weightBits));
  if (rule.weightGroup)
    layer->setAttr(weightGroupAttr,
                   builder.getI64IntegerAttr(*rule.weightGroup));
}

static void edit(ObserveOp op, const ValueRule &rule,
                 const CompileOptions &options) {
  UnitAttr given = UnitAttr::get(op.getContext());
  if (rule.range) {
    op.setMethod(*rule.range);
    op->setAttr(givenRangeAttr, given);
  }
  if (rule.powerOfTwo)
    op.setPowerOfTwo(*rule.powerOfTwo);
  if (rule.bits) {
    // More than 8 bits are symmetric, 8 are so where it was asked for.
    if (*rule.bits != static_cast<int>(op.getBits()))
      op.setSymmetric(*rule.bits > 8 || options.activationsSymmetric);
    op.setBits(*rule.bits);
    op->setAttr(givenBitsAttr, given);
  }
  if (rule.symmetric)
    op.setSymmetric(*rule.symmetric);
  if (QuantizableOpInterface layer = getLayer(op))
    editLayer(layer, rule);
}

/// The observers that are still to be decided.
static SmallVector<ObserveOp> getOpen(func::FuncOp observed) {
  SmallVector<ObserveOp> observers;
  observed.walk([&](ObserveOp op) {
    if (!op.getScale())
      observers.push_back(op);
  });
  return observers;
}

static llvm::Error refuseUnused(const ValueRule &rule,
                                ArrayRef<ObserveOp> observers) {
  std::string kinds, names;
  llvm::SmallVector<StringRef> seen;
  for (ObserveOp op : observers) {
    if (!llvm::is_contained(seen, getKind(op)))
      seen.push_back(getKind(op));
    if (names.size() < 200)
      names += (names.empty() ? "" : ", ") + op.getId().str();
  }
  return makeError(
      144, rule.where + ": the rule fits no value of the model",
      {"values are " + names, "their ops are " + llvm::join(seen, ", ")},
      "--save-config lists all of them");
}

llvm::Error mlir::qopt::pipelines::applyConfig(ArrayRef<ValueRule> rules,
                                               const CompileOptions &options,
                                               func::FuncOp observed) {
  const SmallVector<ObserveOp> observers = getOpen(observed);
  for (const ValueRule &rule : rules) {
    auto selected = select(rule, observers);
    if (!selected)
      return selected.takeError();
    if (selected->empty())
      return refuseUnused(rule, observers);
    for (ObserveOp op : *selected) {
      if (int64_t bits = rule.bits.value_or(op.getBits());
          rule.symmetric == false && bits > 8)
        return makeError(144, rule.where + ": '" + op.getId().str() + "' has " +
                                  std::to_string(bits) +
                                  " bits, which are symmetric");
      edit(op, rule, options);
    }
  }
  return llvm::Error::success();
}

std::string mlir::qopt::pipelines::makeConfig(const CompileOptions &options,
                                              func::FuncOp observed,
                                              func::FuncOp calibrated) {
  llvm::StringMap<ObserveOp> decided;
  (calibrated ? calibrated : observed).walk([&](ObserveOp op) {
    decided[op.getId()] = op;
  });
  WrittenConfig config;
  config.scales = {options.powerOfTwo ? "pow2" : "real"};
  config.activations = {options.activationsSymmetric ? "sym" : "asym"};
  config.weights = {options.weightsPerChannel ? "per-channel" : "per-tensor"};
  if (options.weightBits != 8)
    config.weightBits = {options.weightBits};
  if (options.weightGroup)
    config.weightGroup = {options.weightGroup};
  config.weightRounding = {!options.weightRounding   ? "nearest"
                           : options.descendsWeights ? "adaround"
                                                     : "auto"};
  if (options.scalesWeights)
    config.weightScaling = {"awq"};
  config.biasCorrection = {options.biasCorrection ? "on" : "off"};
  if (!options.fuseActivations)
    config.fuseActivations = {"off"};
  // The search's decisions are among the values.
  config.maxSlowdown = {"1"};
  // What was tuned holds what was known before.
  const std::string &plan = options.tune.empty() ? options.plan : options.tune;
  if (!plan.empty())
    config.plan = plan;
  for (ObserveOp open : getOpen(observed)) {
    ObserveOp op = decided.lookup(open.getId());
    WrittenRule rule;
    rule.name = op.getId().str();
    rule.range = {op.getMethod().str()};
    rule.scales = {op.getPowerOfTwo() ? "pow2" : "real"};
    rule.bits = BitCount{static_cast<int>(op.getBits())};
    rule.symmetric = op.getSymmetric();
    if (QuantizableOpInterface layer = getLayer(op)) {
      WeightForm form;
      form.perChannel = options.weightsPerChannel;
      form.bits = options.weightBits;
      form.group = options.weightGroup;
      form = getOwnForm(layer, form);
      rule.perChannel = form.perChannel;
      if (form.bits != options.weightBits)
        rule.weightBits = {form.bits};
      if (form.group != options.weightGroup)
        rule.weightGroup = {form.group};
    }
    config.values.push_back(std::move(rule));
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::yaml::Output output(os);
  output << config;
  return text;
}
