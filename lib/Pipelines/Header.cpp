// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C header that goes with an object.

#include "qopt/Pipelines/Interface.h"
#include "qopt/Pipelines/AbiText.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using target::BoundaryTensor;

static std::string formatShape(llvm::ArrayRef<int64_t> shape) {
  std::vector<std::string> dims;
  for (int64_t dim : shape)
    dims.push_back(std::to_string(dim));
  return dims.empty() ? "scalar" : llvm::join(dims, "x");
}

/// Exact in C11 and C++17: a decimal that reads back as the same float.
static std::string formatScale(float scale) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.9g", scale);
  return text;
}

/// Model names come from strangers; a comment must not end early.
static std::string commentText(llvm::StringRef name) {
  std::string text;
  for (char c : name)
    text += llvm::isPrint(c) && c != '*' && c != '\\' ? c : '?';
  return text;
}

/// `the CPU's own features, rtm, but not amx-int8`.
static std::string describeFeatures(llvm::StringRef features) {
  std::string more, less;
  for (llvm::StringRef feature : llvm::split(features, ','))
    if (feature.consume_front("-"))
      less += (less.empty() ? "" : ", ") + feature.str();
    else if (feature.consume_front("+"))
      more += ", " + feature.str();
  return "the CPU's own features" + more +
         (less.empty() ? "" : ", but not " + less);
}

static void writeStruct(llvm::raw_ostream &os, const ModelInfo &info,
                        llvm::StringRef kind, bool isConst,
                        llvm::ArrayRef<BoundaryTensor> tensors) {
  os << "typedef struct {\n";
  for (const BoundaryTensor &tensor : tensors) {
    os << "  " << (isConst ? "const " : "")
       << target::boundaryTypeName(tensor.type) << " *" << tensor.identifier
       << "; /* '" << commentText(tensor.name) << "', "
       << formatShape(tensor.shape);
    if (tensor.type != target::BoundaryType::F32)
      os << ", real = " << formatScale(tensor.scale) << " * (q - "
         << tensor.zeroPoint << ")";
    os << " */\n";
  }
  if (tensors.empty())
    os << "  const void *unused;\n";
  os << "} " << info.name << "_" << kind << ";\n\n";
}

static void writeFigures(llvm::raw_ostream &os, const ModelInfo &info) {
  auto define = [&](llvm::StringRef what, uint64_t value,
                    llvm::StringRef text) {
    os << "#define " << info.name << "_" << what << " " << value << "u"
       << (text.empty() ? "" : " /* ") << text << (text.empty() ? "" : " */")
       << "\n";
  };
  define("ARENA_SIZE", info.arenaBytes, "bytes");
  define("ARENA_ALIGN", 64, "bytes");
  define("STACK_SIZE", info.stackBytes.value_or(0), "bytes of stack a run uses at most");
  define("CONST_SIZE", info.constBytes.value_or(0), "bytes of weights");
  define("CODE_SIZE", info.codeBytes.value_or(0), "bytes of code");
  os << "\n";
}

static void writeTensorFigures(llvm::raw_ostream &os, const ModelInfo &info,
                               llvm::ArrayRef<BoundaryTensor> tensors) {
  for (const BoundaryTensor &tensor : tensors)
    os << "#define " << info.name << "_" << tensor.identifier << "_ELEMENTS "
       << tensor.elements() << "u\n";
}

static void writeFunctions(llvm::raw_ostream &os, const ModelInfo &info,
                           const Boundary &boundary, bool helpers) {
  os << "/* Computes all outputs. No allocation, no global state; the arena "
        "holds nothing\n   between runs. ctx may be NULL. */\n"
     << "void " << info.name << "_run(const " << info.name
     << "_inputs *in, const " << info.name
     << "_outputs *out,\n    void *arena, const qopt_context *ctx);\n\n";
  if (helpers) {
    os << "/* Boundary helpers: the only float code. */\n";
    for (const BoundaryTensor &tensor : boundary.inputs)
      os << "void " << info.name << "_quantize_" << tensor.identifier
         << "(const float *src, " << target::boundaryTypeName(tensor.type)
         << " *dst);\n";
    for (const BoundaryTensor &tensor : boundary.outputs)
      os << "void " << info.name << "_dequantize_" << tensor.identifier
         << "(const " << target::boundaryTypeName(tensor.type)
         << " *src, float *dst);\n";
    os << "/* All inputs or outputs, graph order, by the workers of ctx, which "
          "may be NULL. */\n"
       << "void " << info.name
       << "_quantize(const float *const *src, void *const *dst,\n"
          "    const qopt_context *ctx);\n"
       << "void " << info.name
       << "_dequantize(const void *const *src, float *const *dst,\n"
          "    const qopt_context *ctx);\n\n";
  }
  os << "/* For generic callers. */\n"
     << "extern const qopt_model " << info.name << "_model;\n"
     << "extern const char " << info.name << "_info[]; /* JSON */\n"
     << "/* The best code variant for this CPU, for qopt_context. */\n"
     << "uint32_t " << info.name << "_resolve_variant(void);\n\n";
}

std::string mlir::qopt::pipelines::makeHeader(const ModelInfo &info,
                                              const Boundary &boundary,
                                              bool helpers) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "/* Generated by qopt " QOPT_VERSION ". Integer-only inference code "
        "for "
     << info.triple << ", CPU " << info.cpu << ".\n   Needs: "
     << describeFeatures(info.features)
     << ".";
  for (auto [i, variant] : llvm::enumerate(info.variants))
    os << "\n   Variant " << i << ": CPU " << variant.cpu << ".";
  os << " */\n"
     << "#ifndef " << info.name << "_QOPT_H\n#define " << info.name
     << "_QOPT_H\n\n"
     << qoptAbiText << "\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  writeFigures(os, info);
  writeTensorFigures(os, info, boundary.inputs);
  writeTensorFigures(os, info, boundary.outputs);
  os << "\n";
  writeStruct(os, info, "inputs", /*isConst=*/true, boundary.inputs);
  writeStruct(os, info, "outputs", /*isConst=*/false, boundary.outputs);
  writeFunctions(os, info, boundary, helpers);
  os << "#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* "
     << info.name << "_QOPT_H */\n";
  return text;
}
