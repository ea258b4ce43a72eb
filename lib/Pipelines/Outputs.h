// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which files a run writes, and their contents.
#pragma once

#include "Summary.h"
#include "qopt/Pipelines/Compile.h"

namespace mlir::qopt::pipelines {

/// Names of outputs: with one kind of output `-o` is the file itself, else the
/// stem that each kind's suffix is added to.
struct OutputPaths {
  /// The C name of the model.
  std::string name;
  /// `-o` without a known suffix, or the model's stem.
  std::string stem;
  /// `-o` where it is the file itself, else empty.
  std::string single;

  std::string pathOf(const Emission &emission) const;
  std::string headerPath() const { return stem + ".h"; }
  /// Whether there is a header that nobody asked for by name: an object always
  /// brings one, but where it goes to standard output or a device.
  bool bringsHeader(const CompileOptions &options) const;
};

/// Fails with Q0106 where two outputs have one path or one is an input, Q0107
/// where there is no C name, Q0113 where there is a path but no output, Q0501
/// where the folder does not exist.
llvm::Expected<OutputPaths> planOutputs(const CompileOptions &options);

/// Fails with Q0106 where `path` is a file that `options` read.
llvm::Error checkOverwrites(llvm::StringRef path,
                            const CompileOptions &options);

/// Contents of all files; an object brings its header. Executables are linked
/// when they are written.
llvm::Expected<std::vector<OutputFile>>
makeFiles(Levels &levels, const ObjectArtifacts &artifacts,
          const CompileOptions &options, const target::ResolvedTarget &target,
          const OutputPaths &paths, const RunFigures &figures);

/// Writes all files, each whole or not at all.
llvm::Error writeFiles(llvm::ArrayRef<OutputFile> files,
                       const ObjectArtifacts &artifacts,
                       const target::ResolvedTarget &target,
                       const OutputPaths &paths, const Streams &streams);

} // namespace mlir::qopt::pipelines
