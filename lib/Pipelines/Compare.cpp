// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt compare: two reports side by side, whatever they hold.

#include "qopt/Pipelines/Compile.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Support/Printable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <map>

using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using llvm::StringRef;
using llvm::json::Value;

namespace {

/// A figure in both reports; null where one does not have it.
struct Pair {
  const Value *first = nullptr;
  const Value *second = nullptr;

  bool isChanged() const { return !first || !second || !(*first == *second); }
};

/// By key.
using Figures = std::map<std::string, Pair>;

/// Both reports, taken apart.
struct Comparison {
  /// All single figures.
  Figures figures;
  /// What is said of a tensor, by its id; in the order of the reports.
  std::vector<std::pair<std::string, Figures>> tensors;

  Figures &operator[](const std::string &id) {
    auto [place, isNew] = places.try_emplace(id, tensors.size());
    if (isNew)
      tensors.emplace_back(id, Figures());
    return tensors[place->second].second;
  }

private:
  llvm::StringMap<size_t> places;
};

} // namespace

/// What an element of a list is called, if it has a name.
static std::string nameOf(const Value &value, size_t index) {
  if (const llvm::json::Object *object = value.getAsObject())
    for (StringRef key : {"id", "name", "method"})
      if (auto name = object->getString(key))
        return name->str();
  return std::to_string(index);
}

static void collect(const Value &value, const std::string &key,
                    const Value *Pair::*side, Comparison &comparison);

/// What lists of tensors say comes together by tensor.
static void collectTensors(const llvm::json::Array &tensors,
                           const Value *Pair::*side, Comparison &comparison) {
  for (auto [i, tensor] : llvm::enumerate(tensors))
    if (const llvm::json::Object *object = tensor.getAsObject()) {
      Figures &figures = comparison[nameOf(tensor, i)];
      for (const auto &[key, value] : *object)
        if (StringRef(key) != "id")
          figures[StringRef(key).str()].*side = &value;
    }
}

static void collect(const Value &value, const std::string &key,
                    const Value *Pair::*side, Comparison &comparison) {
  if (const llvm::json::Object *object = value.getAsObject()) {
    for (const auto &[name, member] : *object)
      collect(member, (key.empty() ? "" : key + ".") + StringRef(name).str(),
              side, comparison);
    return;
  }
  const llvm::json::Array *array = value.getAsArray();
  if (!array) {
    comparison.figures[key].*side = &value;
    return;
  }
  if (StringRef(key).ends_with("tensors"))
    return collectTensors(*array, side, comparison);
  for (auto [i, element] : llvm::enumerate(*array))
    collect(element, key + "[" + nameOf(element, i) + "]", side, comparison);
}

static std::string format(const Value *value) {
  if (!value)
    return "-";
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto whole = value->getAsInteger())
    os << *whole;
  else if (auto number = value->getAsNumber())
    os << llvm::format("%.6g", *number);
  else if (auto string = value->getAsString())
    os << *string;
  else
    os << *value;
  return text;
}

/// `second - first` of two numbers.
static std::string formatChange(const Pair &pair) {
  auto first = pair.first ? pair.first->getAsNumber() : std::nullopt;
  auto second = pair.second ? pair.second->getAsNumber() : std::nullopt;
  if (!first || !second)
    return "";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%+.4g", *second - *first);
  return text;
}

static std::string shorten(std::string text) {
  constexpr size_t most = 20;
  if (text.size() > most)
    text = text.substr(0, most - 3) + "...";
  return std::string(most - text.size(), ' ') + text;
}

static void printFigures(llvm::raw_ostream &os, const Figures &figures) {
  size_t same = 0;
  for (const auto &[key, pair] : figures) {
    same += !pair.isChanged();
    if (pair.isChanged())
      os << llvm::left_justify(key, 44) << " " << shorten(format(pair.first))
         << " " << shorten(format(pair.second)) << "  " << formatChange(pair)
         << "\n";
  }
  os << same << " of " << figures.size() << " figures are the same\n";
}

/// Whether anything changed.
static bool printTensor(llvm::raw_ostream &os, StringRef id,
                        const Figures &figures) {
  bool any = false;
  for (const auto &[key, pair] : figures) {
    if (!pair.isChanged())
      continue;
    if (!any)
      os << "tensor '" << makePrintable(id) << "':";
    os << (any ? ", " : " ") << key << " " << format(pair.first) << " -> "
       << format(pair.second);
    any = true;
  }
  if (any)
    os << "\n";
  return any;
}

static void printTensors(llvm::raw_ostream &os, const Comparison &comparison) {
  size_t same = 0;
  for (const auto &[id, figures] : comparison.tensors)
    same += !printTensor(os, id, figures);
  if (!comparison.tensors.empty())
    os << same << " of " << comparison.tensors.size()
       << " tensors are the same\n";
}

static void writePair(llvm::json::OStream &json, const Pair &pair) {
  auto side = [&](StringRef key, const Value *value) {
    json.attribute(key, value ? *value : Value(nullptr));
  };
  side("first", pair.first);
  side("second", pair.second);
}

static void writeFigures(llvm::json::OStream &json, const Figures &figures) {
  for (const auto &figure : figures)
    json.attributeObject(figure.first, [&] { writePair(json, figure.second); });
}

static void writeJson(llvm::raw_ostream &os, const Comparison &comparison) {
  llvm::json::OStream json(os, 2);
  json.object([&] {
    json.attribute("schema_version", 1);
    json.attributeObject("figures",
                         [&] { writeFigures(json, comparison.figures); });
    json.attributeArray("tensors", [&] {
      for (const auto &tensor : comparison.tensors)
        json.object([&] {
          json.attribute("id", tensor.first);
          writeFigures(json, tensor.second);
        });
    });
  });
  os << "\n";
}

static llvm::Expected<Value> readReport(StringRef file) {
  auto buffer = readFile(file);
  if (!buffer)
    return buffer.takeError();
  auto json = llvm::json::parse((*buffer)->getBuffer());
  if (!json)
    llvm::consumeError(json.takeError());
  const llvm::json::Object *root = json ? json->getAsObject() : nullptr;
  if (!root || root->getInteger("schema_version") != 1)
    return makeError(402,
                     ("'" + file + "' is no report of schema version 1").str(),
                     {}, "compare reads the JSON of --emit=report");
  return json;
}

llvm::Error mlir::qopt::pipelines::compare(StringRef first, StringRef second,
                                           bool json, const Streams &streams) {
  auto a = readReport(first);
  if (!a)
    return a.takeError();
  auto b = readReport(second);
  if (!b)
    return b.takeError();
  Comparison comparison;
  collect(*a, "", &Pair::first, comparison);
  collect(*b, "", &Pair::second, comparison);
  if (json) {
    writeJson(streams.results, comparison);
    return llvm::Error::success();
  }
  printFigures(streams.results, comparison.figures);
  printTensors(streams.results, comparison);
  return llvm::Error::success();
}
