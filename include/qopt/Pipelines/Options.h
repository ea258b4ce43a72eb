// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything a compilation can be told, as values. The command line
// and the C API fill this struct; nothing below it reads a flag.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlir::qopt::calibration {
struct MemorySamples;
} // namespace mlir::qopt::calibration

namespace mlir::qopt::pipelines {

/// What a run can write. `Mlir` comes with a level, see `mlirLevels`.
enum class EmitKind {
  Object,
  Assembly,
  LLVM,
  Mlir,
  SharedLibrary,
  Archive,
  Executable,
  Header,
  Report,
  Qcal,
  OnnxQdq,
  ReportHtml,
  Tosa,
  Scales,
};

struct Emission {
  EmitKind kind = EmitKind::Object;
  /// For `Mlir`: one of `mlirLevels`.
  std::string level;
};

/// The levels of `--emit=mlir:<level>`, in the order of lowering.
inline constexpr const char *mlirLevels[] = {
    "import",    "float", "observed", "calibrated",
    "quantized", "qint",  "loops",    "llvm"};

/// What the object has at its boundary; docs/cli.md, `--io`.
enum class BoundaryIO {
  /// float helpers, int16 outputs where they cost nothing
  Float,
  /// no helpers
  Int,
  /// no helpers, int8 outputs
  Int8,
};

/// What is quantized, and when.
enum class Mode {
  /// All of it, with scales from statistics: integers alone.
  Static,
  /// Weights; activations stay float. No object.
  Weights,
  /// All of it, with scales of activations that the object finds when it runs.
  Dynamic,
};

/// What `--simulate` runs over labelled data in place of an object.
enum class SimulationKind {
  None,
  /// Level `quantized` in float arithmetic.
  Float,
  /// Level `qint`, by Reference.
  Integer,
};

/// One rule of a config file: what it says of the values that it names.
struct ValueRule {
  /// A pattern over the ids of observers; absent: any.
  std::optional<std::string> name;
  /// The kind of op that computes the value, `input` for an input.
  std::optional<std::string> op;
  std::optional<std::string> range;
  std::optional<bool> powerOfTwo;
  std::optional<int> bits;
  std::optional<bool> symmetric;
  /// Of the weights of the layer that computes the value.
  std::optional<bool> perChannel;
  std::optional<int> weightBits;
  std::optional<int64_t> weightGroup;
  /// `file:line:column`.
  std::string where;
};

/// What a run takes from memory in place of files. Nothing is copied.
struct MemoryInputs {
  /// The bytes of the model; `CompileOptions::model` is what messages call it.
  std::optional<llvm::StringRef> model;
  /// In place of `--calibrate`: at most one of the two.
  const calibration::MemorySamples *samples = nullptr;
  /// The bytes of a `.qcal` file.
  std::optional<llvm::StringRef> statistics;
};

struct CompileOptions {
  Mode mode = Mode::Static;
  std::string model;
  MemoryInputs memory;
  /// `--shape`: input name and its dimensions.
  std::vector<std::pair<std::string, llvm::SmallVector<int64_t>>> shapes;
  /// `--inputs`, `--outputs`: the part of the model to take; empty: all.
  std::vector<std::string> cutInputs, cutOutputs;

  /// `--calibrate`: a data set, or a `.qcal` file. Empty: none.
  std::string calibrate;
  /// `--input`: the texts, `x:u8,mean=...,std=...` or `x:image,...`.
  std::vector<std::string> inputs;
  std::optional<int64_t> limit;
  /// `--seed`: draws the samples that `limit` leaves.
  std::optional<uint64_t> seed;
  /// `--shard i/n`; only `qopt calibrate` takes it.
  std::string shard;

  /// `auto`, `minmax`, `mean-minmax`, `percentile:P`, `entropy`, `mse`.
  std::string range = "auto";
  /// `--scales=pow2`.
  bool powerOfTwo = false;
  /// `--fuse-activations`: clamps become part of the layer before them.
  bool fuseActivations = true;
  bool weightsPerChannel = true;
  /// `--weight-bits`: 8, 4 or 2; `--weight-group`: input channels that share a
  /// multiple of their channel's scale, 0 for none.
  int weightBits = 8;
  int64_t weightGroup = 0;
  /// `--weight-bits=auto`: 4, or 8 where that harms too much.
  bool searchesWeightBits = false;
  /// `--weight-rounding=auto` and `adaround`.
  bool weightRounding = true;
  /// `--weight-rounding=adaround`.
  bool descendsWeights = false;
  /// `--weight-scaling=awq`.
  bool scalesWeights = false;
  bool biasCorrection = true;
  /// The search for activations of more than 8 bits: the SQNR that is enough,
  /// and the most that predicted cycles may grow (1: none).
  double targetSqnr = 44;
  double maxSlowdown = 1.3;
  int activationBits = 8;
  bool activationsSymmetric = false;
  /// `--config`: what holds for single values.
  std::vector<ValueRule> rules;
  /// `--save-config`: where to write what was decided. Empty: nowhere.
  std::string saveConfig;
  BoundaryIO io = BoundaryIO::Float;
  /// The most threads that may share a run.
  int64_t threads = 1;
  /// `--plan`: a file with measured choices; `--tune`: where to write those of
  /// this machine. Empty: none.
  std::string plan;
  std::string tune;

  std::string target;
  std::string cpu;
  /// `--jobs`: threads of the compiler; 0: as many as this machine has.
  unsigned jobs = 0;
  /// `--timing`: says where the time went, in the report too.
  bool timing = false;

  /// Empty: the output's stem.
  std::string name;
  /// `-o`. Empty: the model's stem in the current folder.
  std::string output;
  std::vector<Emission> emissions;

  /// `--eval`: labelled data. Empty: none.
  std::string eval;
  /// `--eval-limit`: at most this many samples of it.
  std::optional<int64_t> evalLimit;
  /// `--max-drop`: how many points of accuracy the integer model may lose.
  std::optional<double> maxDrop;
  /// `--force`: write files although it loses more.
  bool force = false;
  SimulationKind simulation = SimulationKind::None;
};

/// Flags and their values, in the order in which they were given.
using OptionList = std::vector<std::pair<std::string, std::string>>;

/// The names of all flags that `applyOptions` takes: those of compilation and
/// calibration, without dashes.
llvm::ArrayRef<llvm::StringRef> getOptionNames();

/// Fails with Q0101 where there is no flag `name`, naming the nearest, else as
/// the flag's value parser.
llvm::Error checkOption(llvm::StringRef name, llvm::StringRef value);

/// Reads flags into `options`. Of a flag that takes no list the last one
/// counts; flags say more than config files. Fails as `checkOption`.
llvm::Error applyOptions(const OptionList &flags, CompileOptions &options);

/// Whether there is to be an object: no simulation, no float activations.
bool makesObject(const CompileOptions &options);

/// Whether `--emit` has an output of `kind`.
bool wants(const CompileOptions &options, EmitKind kind);

/// An object where nothing is named and there is to be one.
void addDefaultEmission(CompileOptions &options);

/// The word of a kind of output in `--emit`: `obj`, `mlir:qint`.
std::string formatEmission(const Emission &emission);

/// The value parsers of the flags whose values are lists or words. Each fails
/// with Q01xx naming what is known, Q0310 for what is known but not built.
llvm::Expected<std::vector<Emission>> parseEmit(llvm::StringRef text);
llvm::Expected<std::pair<std::string, llvm::SmallVector<int64_t>>>
parseShape(llvm::StringRef text);
llvm::Error parseMode(llvm::StringRef text, CompileOptions &options);
llvm::Error parseRange(llvm::StringRef text, CompileOptions &options);
llvm::Error parseScales(llvm::StringRef text, CompileOptions &options);
llvm::Error parseWeights(llvm::StringRef text, CompileOptions &options);
llvm::Error parseWeightBits(llvm::StringRef text, CompileOptions &options);
llvm::Error parseWeightGroup(llvm::StringRef text, CompileOptions &options);
llvm::Error parseWeightRounding(llvm::StringRef text, CompileOptions &options);
llvm::Error parseWeightScaling(llvm::StringRef text, CompileOptions &options);
llvm::Error parseFuseActivations(llvm::StringRef text, CompileOptions &options);
llvm::Error parseBiasCorrection(llvm::StringRef text, CompileOptions &options);
llvm::Error parseTargetSqnr(llvm::StringRef text, CompileOptions &options);
llvm::Error parseMaxDrop(llvm::StringRef text, CompileOptions &options);
llvm::Error parseForce(llvm::StringRef text, CompileOptions &options);
llvm::Error parseSimulate(llvm::StringRef text, CompileOptions &options);
llvm::Error parseMaxSlowdown(llvm::StringRef text, CompileOptions &options);
llvm::Error parseActivations(llvm::StringRef text, CompileOptions &options);
llvm::Error parseIO(llvm::StringRef text, CompileOptions &options);
llvm::Error parseThreads(llvm::StringRef text, CompileOptions &options);
llvm::Error parseTiming(llvm::StringRef text, CompileOptions &options);
llvm::Error parseJobs(llvm::StringRef text, CompileOptions &options);
llvm::Error parseLimit(llvm::StringRef text, CompileOptions &options);
llvm::Error parseEvalLimit(llvm::StringRef text, CompileOptions &options);
llvm::Error parseSeed(llvm::StringRef text, CompileOptions &options);
/// A comma list of value names; `flag` is what messages call it.
llvm::Error parseNames(llvm::StringRef flag, llvm::StringRef text,
                       std::vector<std::string> &names);

} // namespace mlir::qopt::pipelines
