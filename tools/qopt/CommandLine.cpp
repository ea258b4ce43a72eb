// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The flag table, read into options.

#include "CommandLine.h"
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

static std::string getName(const Option &option) {
  return option.getName().rtrim('=').str();
}

static std::vector<std::string> getFlags(const InputArgList &args) {
  std::vector<std::string> flags;
  for (const Arg *arg : args)
    if (!arg->getOption().matches(OPT_INPUT))
      flags.push_back(getName(arg->getOption().getUnaliasedOption()));
  return flags;
}

/// What compilation is told: all flags but those of the tool itself.
static pipelines::OptionList getOptions(const InputArgList &args) {
  pipelines::OptionList options;
  for (const Arg *arg : args) {
    const Option option = arg->getOption().getUnaliasedOption();
    if (!llvm::is_contained({OPT_INPUT, OPT_help, OPT_version, OPT_values,
                             OPT_json, OPT_nodes, OPT_model},
                            OptionId(option.getID())))
      options.emplace_back(getName(option),
                           arg->getNumValues() ? arg->getValue() : "");
  }
  return options;
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
  line.flags = getFlags(args);
  line.words = args.getAllArgValues(OPT_INPUT);
  line.options.model = args.getLastArgValue(OPT_model).str();
  if (llvm::Error error =
          pipelines::applyOptions(getOptions(args), line.options))
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
      "       qopt inspect model.onnx [--nodes] [--json]\n"
      "       qopt compare a.json b.json [--json]\n"
      "       qopt weights model.onnx [--json]",
      "qopt: compiles a float ONNX model to an integer-only object");
}
