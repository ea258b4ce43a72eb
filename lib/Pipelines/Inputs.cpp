// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes `--input` apart.

#include "qopt/Pipelines/Inputs.h"
#include "qopt/Support/Error.h"
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;

static constexpr llvm::StringLiteral valueKey = ":value=";

/// `NAME:value=1,2`, `at` being the colon.
static llvm::Expected<InputOption> parseValue(llvm::StringRef text, size_t at) {
  InputOption option;
  option.name = text.take_front(at).str();
  option.value.emplace();
  llvm::SmallVector<llvm::StringRef> items;
  text.drop_front(at).split(items, ',');
  items.front().consume_front(valueKey);
  for (llvm::StringRef item : items) {
    double number;
    if (item.getAsDouble(number) || !std::isfinite(number))
      return makeError(142,
                       ("--input '" + text + "' is not valid: '" + item +
                        "' is not a number")
                           .str(),
                       {},
                       "write --input NAME:value=16000, or a number for each "
                       "element: NAME:value=224,224");
    option.value->push_back(number);
  }
  return option;
}

llvm::Expected<InputOption>
mlir::qopt::pipelines::parseInput(llvm::StringRef text) {
  InputOption option;
  const size_t colon = text.split(',').first.rfind(valueKey);
  if (colon != llvm::StringRef::npos && colon > 0)
    return parseValue(text, colon);
  if (text.split(',').first.ends_with(":image")) {
    auto parsed = calibration::parseImageOption(text);
    if (!parsed)
      return parsed.takeError();
    std::tie(option.name, option.image) = std::move(*parsed);
  } else {
    auto parsed = calibration::parseInputOption(text);
    if (!parsed)
      return parsed.takeError();
    std::tie(option.name, option.u8) = std::move(*parsed);
  }
  return option;
}

llvm::Expected<importer::ImportOptions>
mlir::qopt::pipelines::makeImportOptions(const CompileOptions &options) {
  importer::ImportOptions result;
  for (const auto &[name, shape] : options.shapes)
    result.shapes.emplace_back(name, shape);
  result.inputs = options.cutInputs;
  result.outputs = options.cutOutputs;
  for (const std::string &text : options.inputs) {
    auto input = parseInput(text);
    if (!input)
      return input.takeError();
    if (input->value)
      result.values.emplace_back(input->name, std::move(*input->value));
  }
  return result;
}
