// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Identifiers, boundary tensors and NAME_info.

#include "qopt/Pipelines/Interface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using target::BoundaryTensor;
using target::BoundaryType;

/// Whether C or C++ means something else by `word`.
static bool isKeyword(StringRef word) {
  static const llvm::StringSet<> keywords = {
      "alignas",      "alignof",  "and",           "and_eq",
      "asm",          "auto",     "bitand",        "bitor",
      "bool",         "break",    "case",          "catch",
      "char",         "char16_t", "char32_t",      "class",
      "compl",        "const",    "const_cast",    "constexpr",
      "continue",     "decltype", "default",       "delete",
      "do",           "double",   "dynamic_cast",  "else",
      "enum",         "explicit", "export",        "extern",
      "false",        "float",    "for",           "friend",
      "goto",         "if",       "inline",        "int",
      "long",         "mutable",  "namespace",     "new",
      "noexcept",     "not",      "not_eq",        "nullptr",
      "operator",     "or",       "or_eq",         "private",
      "protected",    "public",   "register",      "reinterpret_cast",
      "restrict",     "return",   "short",         "signed",
      "sizeof",       "static",   "static_assert", "static_cast",
      "struct",       "switch",   "template",      "this",
      "thread_local", "throw",    "true",          "try",
      "typedef",      "typeid",   "typename",      "union",
      "unsigned",     "using",    "virtual",       "void",
      "volatile",     "wchar_t",  "while",         "xor",
      "xor_eq",       "char8_t",  "concept",       "consteval",
      "constinit",    "co_await", "co_return",     "co_yield",
      "requires",     "typeof",   "typeof_unqual",
      // Macros of the headers that a model's header includes, and of GNU C.
      "NULL",         "linux",    "unix",          "offsetof"};
  return keywords.contains(word);
}

std::string mlir::qopt::pipelines::toIdentifier(StringRef text) {
  std::string identifier;
  for (char c : text)
    identifier += llvm::isAlnum(c) ? c : '_';
  if (identifier.empty() || llvm::isDigit(identifier[0]))
    identifier.insert(identifier.begin(), '_');
  if (isKeyword(identifier))
    identifier += '_';
  return identifier;
}

/// `base`, or `base_2`, `base_3`, ... where that is taken.
static std::string makeUnique(std::string base, llvm::StringSet<> &taken) {
  std::string name = base;
  for (unsigned i = 2; !taken.insert(name).second; ++i)
    name = base + "_" + std::to_string(i);
  return name;
}

static BoundaryTensor makeTensor(Type type, DictionaryAttr attributes,
                                 StringRef fallback, llvm::StringSet<> &taken) {
  BoundaryTensor tensor;
  auto shaped = cast<RankedTensorType>(type);
  tensor.shape.assign(shaped.getShape().begin(), shaped.getShape().end());
  unsigned bits = shaped.getElementType().getIntOrFloatBitWidth();
  tensor.type = bits == 8    ? BoundaryType::I8
                : bits == 16 ? BoundaryType::I16
                             : BoundaryType::I32;
  tensor.qmin = static_cast<int32_t>(-(INT64_C(1) << (bits - 1)));
  tensor.qmax = static_cast<int32_t>((INT64_C(1) << (bits - 1)) - 1);
  tensor.name = fallback.str();
  if (attributes) {
    if (auto name = attributes.getAs<StringAttr>("qopt.name"))
      tensor.name = name.str();
    if (auto scale = attributes.getAs<FloatAttr>("qint.scale"))
      tensor.scale = static_cast<float>(scale.getValueAsDouble());
    if (attributes.contains("qint.real"))
      tensor.type = BoundaryType::F32;
    if (auto zeroPoint = attributes.getAs<IntegerAttr>("qint.zero_point"))
      tensor.zeroPoint = static_cast<int32_t>(zeroPoint.getInt());
    // The model's own unsigned integers: the same values, higher by half the
    // range.
    auto type = attributes.getAs<StringAttr>("qopt.type");
    bool isU8 = type && type == "uint8" && tensor.type == BoundaryType::I8;
    bool isU16 = type && type == "uint16" && tensor.type == BoundaryType::I16;
    if (isU8 || isU16) {
      tensor.type = isU8 ? BoundaryType::U8 : BoundaryType::U16;
      tensor.zeroPoint -= tensor.qmin;
      tensor.qmax -= tensor.qmin;
      tensor.qmin = 0;
    }
  }
  tensor.identifier = makeUnique(toIdentifier(tensor.name), taken);
  return tensor;
}

Boundary mlir::qopt::pipelines::getBoundary(func::FuncOp function) {
  Boundary boundary;
  // One set: `NAME_x_ELEMENTS` does not say which of the two x is.
  llvm::StringSet<> taken;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    boundary.inputs.push_back(makeTensor(type, function.getArgAttrDict(i),
                                         "input" + std::to_string(i), taken));
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    boundary.outputs.push_back(makeTensor(type, function.getResultAttrDict(i),
                                          "output" + std::to_string(i), taken));
  return boundary;
}

static void writeTensors(llvm::json::OStream &json, StringRef key,
                         ArrayRef<BoundaryTensor> tensors) {
  json.attributeArray(key, [&] {
    for (const BoundaryTensor &tensor : tensors)
      json.object([&] {
        json.attribute("name", llvm::json::fixUTF8(tensor.name));
        json.attribute("identifier", tensor.identifier);
        json.attributeArray("shape", [&] {
          for (int64_t dim : tensor.shape)
            json.value(dim);
        });
        json.attribute("type", target::boundaryTypeName(tensor.type));
        json.attribute("scale", static_cast<double>(tensor.scale));
        json.attribute("zero_point", tensor.zeroPoint);
      });
  });
}

std::string mlir::qopt::pipelines::figurePlaceholder(StringRef key) {
  std::string text = ("@" + key).str();
  text.resize(figureWidth, '_');
  return text;
}

std::string mlir::qopt::pipelines::makeInfo(const ModelInfo &info,
                                            const Boundary &boundary) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os);
  auto figure = [&](StringRef key, std::optional<uint64_t> value) {
    json.attributeBegin(key);
    json.rawValue([&](llvm::raw_ostream &raw) {
      if (value)
        raw << llvm::format_decimal(*value, figureWidth);
      else
        raw << figurePlaceholder(key);
    });
    json.attributeEnd();
  };
  json.object([&] {
    json.attribute("schema_version", 1);
    json.attribute("name", info.name);
    json.attribute("qopt_version", QOPT_VERSION);
    json.attribute("model_hash", info.modelHash);
    json.attribute("target", info.triple);
    json.attribute("cpu", info.cpu);
    json.attribute("features", info.features);
    if (!info.variants.empty())
      json.attributeArray("variants", [&] {
        for (const ModelInfo::Variant &variant : info.variants)
          json.object([&] {
            json.attribute("cpu", variant.cpu);
            json.attribute("features", variant.features);
          });
      });
    figure("macs", info.macs);
    figure("arena_bytes", info.arenaBytes);
    figure("stack_bytes", info.stackBytes);
    figure("const_bytes", info.constBytes);
    figure("code_bytes", info.codeBytes);
    writeTensors(json, "inputs", boundary.inputs);
    writeTensors(json, "outputs", boundary.outputs);
  });
  return text;
}
