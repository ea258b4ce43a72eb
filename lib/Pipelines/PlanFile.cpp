// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON of one object: `plan`, a version, and `products`, sorted by shape.

#include "PlanFile.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using llvm::StringRef;

static constexpr int64_t planVersion = 1;

static llvm::Error notAPlan(StringRef path, const llvm::Twine &reason) {
  return makeError(145, (path + ": " + reason).str(), {},
                   "--tune=FILE writes such a file");
}

llvm::Expected<codegen::TileChoices>
mlir::qopt::pipelines::readPlan(StringRef path) {
  auto buffer = readFile(path);
  if (!buffer)
    return buffer.takeError();
  auto value = llvm::json::parse((*buffer)->getBuffer());
  if (!value)
    return notAPlan(path, llvm::toString(value.takeError()));
  const llvm::json::Object *root = value->getAsObject();
  if (!root || root->getInteger("plan") != planVersion)
    return notAPlan(path, "expects \"plan\": " + llvm::Twine(planVersion));
  const llvm::json::Array *products = root->getArray("products");
  if (!products)
    return notAPlan(path, "expects an array \"products\"");
  codegen::TileChoices choices;
  for (const llvm::json::Value &entry : *products) {
    const llvm::json::Object *product = entry.getAsObject();
    auto get = [&](StringRef key) {
      return product ? product->getInteger(key) : std::nullopt;
    };
    auto shape = product ? product->getString("shape") : std::nullopt;
    auto vectors = get("vectors"), rows = get("rows"), dots = get("dots");
    if (!shape || !vectors || !rows || !dots)
      return notAPlan(path, "expects \"shape\", \"vectors\", \"rows\" and "
                            "\"dots\" of each product");
    choices[shape->str()] = {*vectors, *rows, *dots};
  }
  return choices;
}

std::string
mlir::qopt::pipelines::printPlan(const codegen::TileChoices &choices) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("plan", planVersion);
    json.attributeArray("products", [&] {
      for (const auto &entry : choices)
        json.object([&] {
          json.attribute("shape", entry.first);
          json.attribute("vectors", entry.second.vectors);
          json.attribute("rows", entry.second.rows);
          json.attribute("dots", entry.second.dots);
        });
    });
  });
  os << "\n";
  return text;
}
