// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Paths, contents and writing of everything that --emit names.

#include "Outputs.h"
#include "Report.h"
#include "ReportDetails.h"
#include "Scales.h"
#include "qopt/Export/ONNX/Export.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "qopt/Target/Link.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
namespace path = llvm::sys::path;

/// What a kind's file ends in.
static std::string suffixOf(const Emission &emission) {
  switch (emission.kind) {
  case EmitKind::Object:
    return ".o";
  case EmitKind::Assembly:
    return ".s";
  case EmitKind::LLVM:
    return ".ll";
  case EmitKind::Mlir:
    return "." + emission.level + ".mlir";
  case EmitKind::SharedLibrary:
    return ".so";
  case EmitKind::Archive:
    return ".a";
  case EmitKind::Executable:
    return "";
  case EmitKind::Header:
    return ".h";
  case EmitKind::Report:
    return ".json";
  case EmitKind::Qcal:
    return ".qcal";
  case EmitKind::OnnxQdq:
    return ".qdq.onnx";
  case EmitKind::ReportHtml:
    return ".html";
  case EmitKind::Tosa:
    return ".tosa.mlir";
  case EmitKind::Scales:
    return ".scales.json";
  }
  return "";
}

std::string OutputPaths::pathOf(const Emission &emission) const {
  return single.empty() ? stem + suffixOf(emission) : single;
}

/// `model.o` names the stem `model`; an executable's name has no suffix.
static std::string stemOf(StringRef output) {
  static const llvm::StringSet<> known = {".o", ".s",    ".ll", ".mlir", ".so",
                                          ".a", ".h",    ".json", ".qcal",
                                          ".onnx",  ".html"};
  if (!known.contains(path::extension(output)))
    return output.str();
  return output.drop_back(path::extension(output).size()).str();
}

llvm::Expected<OutputPaths>
mlir::qopt::pipelines::planOutputs(const CompileOptions &options) {
  OutputPaths paths;
  paths.stem = options.output.empty() || options.output == "-"
                   ? path::stem(options.model).str()
                   : stemOf(options.output);
  // An object always brings its header, so its -o may name the object.
  if (options.emissions.size() == 1 && !options.output.empty())
    paths.single = options.output;
  paths.name = toIdentifier(options.name.empty() ? path::filename(paths.stem)
                                                 : StringRef(options.name));
  if (!options.name.empty() && paths.name != options.name)
    return makeError(107, "--name expects a C identifier, but got '" +
                              options.name + "'",
                     {}, "for example --name=" + paths.name);
  if (options.output == "-" && options.emissions.size() > 1)
    return makeError(106, "standard output takes one kind of output", {},
                     "give -o a stem");
  llvm::StringSet<> taken;
  for (const Emission &emission : options.emissions)
    if (!taken.insert(paths.pathOf(emission)).second)
      return makeError(106, "two outputs would be written to '" +
                                paths.pathOf(emission) + "'");
  StringRef folder = path::parent_path(paths.stem);
  if (options.output != "-" && !folder.empty() &&
      !llvm::sys::fs::is_directory(folder))
    return makeError(501, ("cannot write to '" + folder +
                           "': no such folder").str(),
                     {}, "create it, or choose another with -o");
  return paths;
}

static llvm::Expected<std::string>
makeContents(const Emission &emission, Levels &levels,
             const ObjectArtifacts &artifacts, const CompileOptions &options,
             const OutputPaths &paths, const RunFigures &figures) {
  switch (emission.kind) {
  case EmitKind::Object:
    return artifacts.object;
  case EmitKind::Assembly:
    return artifacts.assembly;
  case EmitKind::LLVM:
    return artifacts.llvmIR;
  case EmitKind::Mlir:
    return levels.print(emission.level, /*full=*/true);
  case EmitKind::SharedLibrary:
    return target::linkShared(artifacts.object,
                              path::filename(paths.pathOf(emission)));
  case EmitKind::Archive:
    return target::makeArchive(artifacts.object, paths.name + ".o");
  case EmitKind::Executable:
    return std::string();
  case EmitKind::Header:
    return artifacts.header;
  case EmitKind::Report:
    return makeReport(options, levels, artifacts, figures);
  case EmitKind::Qcal:
    return figures.qcal;
  case EmitKind::OnnxQdq:
    return exporter::exportQdq(levels.getFunction("quantized"), paths.name,
                               QOPT_VERSION);
  case EmitKind::ReportHtml:
    return makeReportPage(makeReport(options, levels, artifacts, figures));
  case EmitKind::Tosa:
    return levels.printTosa();
  case EmitKind::Scales:
    return makeScales(levels.getFunction("quantized"));
  }
  return std::string();
}

llvm::Expected<std::vector<OutputFile>> mlir::qopt::pipelines::makeFiles(
    Levels &levels, const ObjectArtifacts &artifacts,
    const CompileOptions &options, const target::ResolvedTarget &target,
    const OutputPaths &paths, const RunFigures &figures) {
  std::vector<OutputFile> files;
  for (const Emission &emission : options.emissions) {
    auto contents = makeContents(emission, levels, artifacts, options, paths,
                                 figures);
    if (!contents)
      return contents.takeError();
    files.push_back(
        {emission.kind, paths.pathOf(emission), std::move(*contents)});
  }
  // One .o, one .h: what links also declares.
  bool linkable = llvm::any_of(files, [](const OutputFile &file) {
    return (file.kind == EmitKind::Object ||
            file.kind == EmitKind::SharedLibrary ||
            file.kind == EmitKind::Archive) &&
           file.path != "-";
  });
  bool hasHeader = llvm::any_of(files, [](const OutputFile &file) {
    return file.kind == EmitKind::Header;
  });
  if (linkable && !hasHeader)
    files.push_back({EmitKind::Header, paths.stem + ".h", artifacts.header});
  return files;
}

/// `../lib/libQoptRuntime.a` of the tool, in a build tree and installed.
static std::string runtimePath(const std::string &tool) {
  std::string program =
      llvm::sys::fs::getMainExecutable(tool.c_str(), (void *)&runtimePath);
  llvm::SmallString<256> archive(path::parent_path(path::parent_path(program)));
  path::append(archive, "lib", "libQoptRuntime.a");
  return std::string(archive);
}

llvm::Error mlir::qopt::pipelines::writeFiles(
    ArrayRef<OutputFile> files, const ObjectArtifacts &artifacts,
    const target::ResolvedTarget &target, const OutputPaths &paths,
    const Streams &streams) {
  for (const OutputFile &file : files) {
    llvm::Error error =
        file.kind == EmitKind::Executable
            ? target::linkExecutable(artifacts.object,
                                     paths.name + "_model", target,
                                     runtimePath(streams.tool), file.path)
            : writeFileAtomically(file.path, file.contents,
                                  file.kind == EmitKind::SharedLibrary);
    if (error)
      return error;
  }
  return llvm::Error::success();
}
