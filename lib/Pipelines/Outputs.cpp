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
  static const llvm::StringSet<> known = {".o",    ".s",    ".ll",  ".mlir",
                                          ".so",   ".a",    ".h",   ".json",
                                          ".qcal", ".onnx", ".html"};
  if (!known.contains(path::extension(output)))
    return output.str();
  return output.drop_back(path::extension(output).size()).str();
}

/// Whether the file of `kind` is of no use without its header: what links also
/// declares.
static bool isLinkable(EmitKind kind) {
  return kind == EmitKind::Object || kind == EmitKind::SharedLibrary ||
         kind == EmitKind::Archive;
}

bool OutputPaths::bringsHeader(const CompileOptions &options) const {
  return !wants(options, EmitKind::Header) &&
         llvm::any_of(options.emissions, [&](const Emission &emission) {
           const std::string path = pathOf(emission);
           return isLinkable(emission.kind) && path != "-" &&
                  !isSpecialFile(path);
         });
}

/// The C name of the model. Everything that a header declares starts with it,
/// so only `qopt` meets the names of the ABI.
static llvm::Expected<std::string> chooseName(const CompileOptions &options,
                                              StringRef stem) {
  if (options.name.empty()) {
    std::string name = toIdentifier(path::filename(stem));
    return name == "qopt" ? "qopt_" : name;
  }
  std::string name = toIdentifier(options.name);
  if (name != options.name)
    return makeError(
        107, "--name expects a C identifier, but got '" + options.name + "'",
        {}, "for example --name=" + name);
  if (name == "qopt")
    return makeError(107,
                     "--name=qopt would declare 'qopt_model' twice: the "
                     "header has a type of that name",
                     {}, "for example --name=model");
  return name;
}

llvm::Error
mlir::qopt::pipelines::checkOverwrites(StringRef path,
                                       const CompileOptions &options) {
  for (const std::string &input :
       {options.model, options.calibrate, options.eval})
    if (!isSpecialFile(path) && llvm::sys::fs::equivalent(path, input))
      return makeError(
          106, ("'" + path + "' would be overwritten, but is read").str(), {},
          "choose another output");
  return llvm::Error::success();
}

/// Each output has a path of its own, which is none of what is read.
static llvm::Error checkPaths(const OutputPaths &paths,
                              const CompileOptions &options) {
  std::vector<std::string> written;
  for (const Emission &emission : options.emissions)
    written.push_back(paths.pathOf(emission));
  if (paths.bringsHeader(options))
    written.push_back(paths.headerPath());
  for (const std::string &path : {options.saveConfig, options.tune})
    if (!path.empty())
      written.push_back(path);
  llvm::StringSet<> taken;
  for (const std::string &path : written) {
    if (path == "-" && taken.contains(path))
      return makeError(106, "standard output takes one kind of output", {},
                       "give -o a stem");
    if (!taken.insert(path).second && !isSpecialFile(path))
      return makeError(106, "two outputs would be written to '" + path + "'",
                       {}, "give -o a stem without a suffix");
    if (llvm::Error error = checkOverwrites(path, options))
      return error;
  }
  return llvm::Error::success();
}

llvm::Expected<OutputPaths>
mlir::qopt::pipelines::planOutputs(const CompileOptions &options) {
  if (options.emissions.empty() && !options.output.empty())
    return makeError(113,
                     "-o names an output, but without an object there is none",
                     {}, "name one, --emit=report");
  OutputPaths paths;
  paths.stem = options.output.empty() || options.output == "-"
                   ? path::stem(options.model).str()
                   : stemOf(options.output);
  if (options.emissions.size() == 1 && !options.output.empty())
    paths.single = options.output;
  auto name = chooseName(options, paths.stem);
  if (!name)
    return name.takeError();
  paths.name = std::move(*name);
  if (options.output == "-" && options.emissions.size() > 1)
    return makeError(106, "standard output takes one kind of output", {},
                     "give -o a stem");
  if (llvm::Error error = checkPaths(paths, options))
    return std::move(error);
  StringRef folder = path::parent_path(paths.stem);
  if (options.output != "-" && !folder.empty() &&
      !llvm::sys::fs::is_directory(folder))
    return makeError(501,
                     ("cannot write to '" + folder + "': no such folder").str(),
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
    auto contents =
        makeContents(emission, levels, artifacts, options, paths, figures);
    if (!contents)
      return contents.takeError();
    files.push_back(
        {emission.kind, paths.pathOf(emission), std::move(*contents)});
  }
  if (paths.bringsHeader(options))
    files.push_back({EmitKind::Header, paths.headerPath(), artifacts.header});
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
            ? target::linkExecutable(artifacts.object, paths.name + "_model",
                                     target, runtimePath(streams.tool),
                                     file.path)
            : writeFileAtomically(file.path, file.contents,
                                  file.kind == EmitKind::SharedLibrary);
    if (error)
      return error;
  }
  return llvm::Error::success();
}
