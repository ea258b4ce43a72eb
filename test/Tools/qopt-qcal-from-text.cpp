// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes a .qcal file from lines `id: value value ...` on standard input, each
// one sample of one tensor. Only tests use it: `qopt-qcal-from-text out.qcal`.

#include "qopt/Observers/CalibrationState.h"
#include "qopt/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir::qopt;
using observers::CalibrationState;

namespace {

struct Line {
  std::string id;
  std::vector<float> values;
};

std::vector<Line> parseLines(llvm::StringRef text) {
  std::vector<Line> lines;
  llvm::SmallVector<llvm::StringRef> rows;
  text.split(rows, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef row : rows) {
    auto [id, rest] = row.split(':');
    Line line{id.trim().str(), {}};
    llvm::SmallVector<llvm::StringRef> words;
    rest.split(words, ' ', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef word : words) {
      double value = 0;
      word.trim().getAsDouble(value);
      line.values.push_back(static_cast<float>(value));
    }
    lines.push_back(line);
  }
  return lines;
}

llvm::Error run(llvm::StringRef path) {
  auto input = llvm::MemoryBuffer::getSTDIN();
  if (!input)
    return makeError(502, "cannot read standard input");
  std::vector<Line> lines = parseLines((*input)->getBuffer());
  std::vector<CalibrationState::TensorSpec> specs;
  for (const Line &line : lines)
    specs.push_back({line.id, 0});
  auto state =
      CalibrationState::create(observers::hashModel("test"), {{"x", 1}}, specs);
  if (!state)
    return state.takeError();
  float sample = 0;
  if (llvm::Error error = state->addSample(0, {llvm::ArrayRef(sample)}))
    return error;
  for (const Line &line : lines) {
    observers::StridedValues values{line.values.data(), line.values.size()};
    if (llvm::Error error = state->observe(state->indexOf(line.id), 0, values))
      return error;
  }
  return state->write(path);
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    llvm::errs() << "usage: qopt-qcal-from-text OUT.qcal < LINES\n";
    return 1;
  }
  return static_cast<int>(reportError(run(argv[1]), llvm::errs()));
}
