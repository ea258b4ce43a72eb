// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Imports ONNX models and prints the module, or the errors and the exit code,
// on standard output, so that lit tests can hold models as text.
//
//   qopt-onnx-test [--shape NAME=1x2] [--value NAME=file.pb] [--folder DIR]
//                  [--inputs A,B] [--outputs C,D] [--no-external] FILE
//   qopt-onnx-test --convert FILE -o FILE.onnx
//   qopt-onnx-test --print-ops
//
// FILE is a serialized model or, if it ends in `.test`, text: models between
// lines that are `# -----`, each in the ONNX text form or, with a line
// `# textproto`, in protobuf's text form of ModelProto.

#include "qopt/Import/ONNX/Import.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <google/protobuf/text_format.h>
#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::qopt;
using llvm::outs;

namespace {
struct Options {
  importer::ImportOptions import;
  std::string file, folder, convertTo;
  bool convert = false, external = true;
};
} // namespace

static int usage(const llvm::Twine &what) {
  llvm::errs() << "qopt-onnx-test: " << what << "\n";
  return 99;
}

/// `x=1x3x8x8`.
static bool parseShape(llvm::StringRef text, importer::ImportOptions &options) {
  auto [name, sizes] = text.split('=');
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::SmallVector<int64_t> shape;
  sizes.split(parts, 'x');
  for (llvm::StringRef part : parts)
    if (part.getAsInteger(10, shape.emplace_back()))
      return false;
  options.shapes.push_back({name.str(), shape});
  return true;
}

static bool parseValue(llvm::StringRef text, importer::ImportOptions &options) {
  auto [name, path] = text.split('=');
  auto buffer = readFile(path);
  if (!buffer)
    return llvm::consumeError(buffer.takeError()), false;
  options.constants.push_back({name.str(), (*buffer)->getBuffer().str()});
  return true;
}

/// Text of a model to its bytes; nothing on a syntax error, which is printed.
static std::optional<std::string> serialize(llvm::StringRef text) {
  onnx::ModelProto model;
  if (text.contains("# textproto\n")) {
    if (!google::protobuf::TextFormat::ParseFromString(text.str(), &model))
      return std::nullopt;
    return model.SerializeAsString();
  }
  // The parser keeps a pointer into the text.
  std::string copy = text.str();
  onnx::OnnxParser parser(copy.c_str());
  auto status = parser.Parse(model);
  if (!status.IsOK()) {
    llvm::errs() << status.ErrorMessage() << "\n";
    return std::nullopt;
  }
  return model.SerializeAsString();
}

static int importAndPrint(llvm::StringRef bytes, Options options) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  std::string folder = options.external ? options.folder : "";
  auto module = importer::importModelBytes(bytes, context, options.import,
                                           folder, options.file);
  for (const std::string &note : options.import.notes)
    outs() << "note: " << note << "\n";
  if (!module) {
    ExitCode code = reportError(module.takeError(), outs());
    outs() << "exit code: " << int(code) << "\n";
    return int(code);
  }
  OpPrintingFlags flags;
  flags.elideLargeResourceString(16);
  (*module)->print(outs(), flags);
  outs() << "\n";
  return 0;
}

static int runText(llvm::StringRef text, const Options &options) {
  llvm::SmallVector<llvm::StringRef> sections;
  text.split(sections, "# -----\n");
  for (llvm::StringRef section : sections) {
    if (section.trim().empty())
      continue;
    auto bytes = serialize(section);
    if (!bytes)
      return usage("cannot parse a model in " + options.file);
    if (options.convert) {
      if (auto error = writeFileAtomically(options.convertTo, *bytes))
        return int(reportError(std::move(error), llvm::errs()));
      continue;
    }
    importAndPrint(*bytes, options);
    outs() << "// -----\n";
  }
  return 0;
}

int main(int argc, char **argv) {
  Options options;
  llvm::ArrayRef<char *> arguments(argv + 1, argc - 1);
  for (size_t i = 0; i < arguments.size(); ++i) {
    llvm::StringRef flag = arguments[i];
    auto next = [&]() -> llvm::StringRef {
      return i + 1 < arguments.size() ? arguments[++i] : "";
    };
    if (flag == "--print-ops")
      return importer::printSupportedOps(outs()), 0;
    if (flag == "--shape") {
      if (!parseShape(next(), options.import))
        return usage("bad --shape");
    } else if (flag == "--value") {
      if (!parseValue(next(), options.import))
        return usage("bad --value");
    } else if (flag == "--folder") {
      options.folder = next().str();
    } else if (flag == "--inputs" || flag == "--outputs") {
      auto &names =
          flag == "--inputs" ? options.import.inputs : options.import.outputs;
      for (llvm::StringRef name : llvm::split(next(), ','))
        names.push_back(name.str());
    } else if (flag == "--no-external") {
      options.external = false;
    } else if (flag == "--convert") {
      options.convert = true;
    } else if (flag == "-o") {
      options.convertTo = next().str();
    } else {
      options.file = flag.str();
    }
  }
  if (options.file.empty())
    return usage("no file");
  if (options.folder.empty())
    options.folder = llvm::sys::path::parent_path(options.file).str();
  if (options.folder.empty())
    options.folder = ".";
  auto buffer = readFile(options.file);
  if (!buffer)
    return int(reportError(buffer.takeError(), llvm::errs()));
  llvm::StringRef bytes = (*buffer)->getBuffer();
  if (llvm::sys::path::extension(options.file) == ".test")
    return runText(bytes, options);
  return importAndPrint(bytes, std::move(options));
}
