// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The flag table, read into options.

#include "CommandLine.h"
#include "qopt/Pipelines/Config.h"
#include "qopt/Support/Error.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Option/Option.h"

using namespace llvm::opt;
using namespace mlir::qopt;
using namespace mlir::qopt::tool;

namespace {

enum OptionId {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "Options.inc"
#undef OPTION
};

#define OPTTABLE_STR_TABLE_CODE
#include "Options.inc"
#undef OPTTABLE_STR_TABLE_CODE

#define OPTTABLE_PREFIXES_TABLE_CODE
#include "Options.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

constexpr OptTable::Info infoTable[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "Options.inc"
#undef OPTION
};

class QoptTable : public GenericOptTable {
public:
  QoptTable()
      : GenericOptTable(OptionStrTable, OptionPrefixesTable, infoTable) {}
};

} // namespace

static llvm::Error unknownFlag(const QoptTable &table, llvm::StringRef flag) {
  std::string nearest;
  std::vector<std::string> notes;
  if (table.findNearest(flag, nearest) <= 3)
    notes.push_back("did you mean '" + nearest + "'?");
  return makeError(101, ("unknown flag '" + flag + "'").str(),
                   std::move(notes), "qopt --help lists the flags");
}

/// The flags whose values need parsing.
static llvm::Error parseValues(const InputArgList &args,
                               pipelines::CompileOptions &options) {
  using Parser = llvm::Error (*)(llvm::StringRef, pipelines::CompileOptions &);
  const std::pair<OptionId, Parser> parsers[] = {
      {OPT_range, pipelines::parseRange},
      {OPT_scales, pipelines::parseScales},
      {OPT_weights, pipelines::parseWeights},
      {OPT_weight_rounding, pipelines::parseWeightRounding},
      {OPT_bias_correction, pipelines::parseBiasCorrection},
      {OPT_max_slowdown, pipelines::parseMaxSlowdown},
      {OPT_target_sqnr, pipelines::parseTargetSqnr},
      {OPT_activations, pipelines::parseActivations},
      {OPT_io, pipelines::parseIO},
      {OPT_jobs, pipelines::parseJobs},
      {OPT_threads, pipelines::parseThreads},
      {OPT_limit, pipelines::parseLimit},
      {OPT_seed, pipelines::parseSeed}};
  // Flags say more than the file.
  for (const std::string &path : args.getAllArgValues(OPT_config))
    if (auto error = pipelines::loadConfig(path, options))
      return error;
  if (const Arg *arg = args.getLastArg(OPT_mode))
    if (auto error = pipelines::parseMode(arg->getValue()))
      return error;
  for (const auto &[id, parser] : parsers)
    if (const Arg *arg = args.getLastArg(id))
      if (auto error = parser(arg->getValue(), options))
        return error;
  for (const std::string &text : args.getAllArgValues(OPT_emit)) {
    auto emissions = pipelines::parseEmit(text);
    if (!emissions)
      return emissions.takeError();
    llvm::append_range(options.emissions, *emissions);
  }
  for (const std::string &text : args.getAllArgValues(OPT_inputs))
    if (auto error =
            pipelines::parseNames("--inputs", text, options.cutInputs))
      return error;
  for (const std::string &text : args.getAllArgValues(OPT_outputs))
    if (auto error =
            pipelines::parseNames("--outputs", text, options.cutOutputs))
      return error;
  for (const std::string &text : args.getAllArgValues(OPT_shape)) {
    auto shape = pipelines::parseShape(text);
    if (!shape)
      return shape.takeError();
    options.shapes.push_back(std::move(*shape));
  }
  return llvm::Error::success();
}

llvm::Expected<CommandLine> mlir::qopt::tool::parseCommandLine(int argc,
                                                               char **argv) {
  QoptTable table;
  unsigned missingIndex = 0, missingCount = 0;
  InputArgList args = table.ParseArgs(
      llvm::ArrayRef<const char *>(argv + 1, argc - 1), missingIndex,
      missingCount);
  if (missingCount)
    return makeError(101, std::string("flag '") +
                              args.getArgString(missingIndex) +
                              "' needs a value");
  if (const Arg *arg = args.getLastArg(OPT_UNKNOWN))
    return unknownFlag(table, arg->getAsString(args));

  CommandLine line;
  line.program = argv[0];
  line.help = args.hasArg(OPT_help);
  line.version = args.hasArg(OPT_version);
  line.printValues = args.hasArg(OPT_values);
  line.inspect = {args.hasArg(OPT_json), args.hasArg(OPT_nodes)};
  line.words = args.getAllArgValues(OPT_INPUT);
  pipelines::CompileOptions &options = line.options;
  options.output = args.getLastArgValue(OPT_o).str();
  options.name = args.getLastArgValue(OPT_name).str();
  options.calibrate = args.getLastArgValue(OPT_calibrate).str();
  options.shard = args.getLastArgValue(OPT_shard).str();
  options.target = args.getLastArgValue(OPT_target).str();
  options.cpu = args.getLastArgValue(OPT_mcpu).str();
  options.saveConfig = args.getLastArgValue(OPT_save_config).str();
  options.eval = args.getLastArgValue(OPT_eval).str();
  options.model = args.getLastArgValue(OPT_model).str();
  options.inputs = args.getAllArgValues(OPT_input);
  if (llvm::Error error = parseValues(args, options))
    return std::move(error);
  return line;
}

void mlir::qopt::tool::printHelp(llvm::raw_ostream &os) {
  QoptTable().printHelp(
      os,
      "qopt model.onnx --calibrate data --emit=obj [-o model.o]\n"
      "       qopt calibrate model.onnx --calibrate data [--shard 3/16] -o s3.qcal\n"
      "       qopt merge s*.qcal -o all.qcal\n"
      "       qopt show all.qcal | model.json [--values --model model.onnx]\n"
      "       qopt inspect model.onnx [--nodes] [--json]",
      "qopt: compiles a float ONNX model to an integer-only object");
}
