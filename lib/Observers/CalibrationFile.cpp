// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `.qcal` format: little-endian, one byte string for one state. Lists grow
// as their items are read, so no number in a hostile file allocates by itself.
//
//   "QCAL\r\n\x1a\n"  u32 version  hash[32] of the model
//   v inputs   { text name, v elements }
//   v intervals of samples { v first - end of the one before, v count }
//   v tensors, ascending by id { text id, v channels, v samples, v count,
//       f32 min, f32 max, sums (sum, squares, mins, maxs as u32 digits),
//       v bins { v bin - bin before, v count },
//       channels x { f32 min, f32 max, sum, squares } }
//   v reservoir samples, ascending by hash { u64 id, f32 values }
//   hash[32] of all bytes before
//
// `v` is an unsigned LEB128 number in its shortest form, `text` a v length and
// its bytes.

#include "qopt/Observers/CalibrationState.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/File.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/LEB128.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::observers;

namespace {
constexpr llvm::StringLiteral magic("QCAL\r\n\x1a\n");
constexpr uint64_t maxTextLength = 4096;

class Writer {
public:
  void raw(llvm::StringRef bytes) { os << bytes; }
  void hash(const Hash &hash) { raw(llvm::toStringRef(hash)); }
  void number(uint64_t value) { llvm::encodeULEB128(value, os); }
  void text(llvm::StringRef value) {
    number(value.size());
    raw(value);
  }
  template <typename T> void fixed(T value) {
    char bytes[sizeof(T)];
    llvm::support::endian::write<T>(bytes, value, llvm::endianness::little);
    raw({bytes, sizeof(T)});
  }
  void real(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    fixed(bits);
  }
  template <typename Sum> void sum(const Sum &value) {
    for (uint32_t digit : value.digits())
      fixed(digit);
  }
  std::string bytes;
  llvm::raw_string_ostream os{bytes};
};

/// Reads with a latched failure: after one, nothing is left and everything is
/// 0.
class Reader {
public:
  explicit Reader(llvm::StringRef bytes) : rest(bytes) {}

  bool failed() const { return bad; }
  void fail() {
    bad = true;
    rest = {};
  }
  size_t remaining() const { return rest.size(); }

  llvm::StringRef raw(uint64_t size) {
    if (size > rest.size()) {
      fail();
      return {};
    }
    llvm::StringRef result = rest.take_front(size);
    rest = rest.drop_front(size);
    return result;
  }
  uint64_t number() {
    const auto *begin = reinterpret_cast<const uint8_t *>(rest.data());
    unsigned length;
    const char *error = nullptr;
    const uint64_t value =
        llvm::decodeULEB128(begin, &length, begin + rest.size(), &error);
    if (error || length != llvm::getULEB128Size(value)) {
      fail();
      return {};
    }
    rest = rest.drop_front(length);
    return value;
  }
  std::string text() {
    const uint64_t size = number();
    if (size > maxTextLength)
      fail();
    return raw(size).str();
  }
  template <typename T> T fixed() {
    llvm::StringRef bytes = raw(sizeof(T));
    return bytes.empty() ? T()
                         : llvm::support::endian::read<T>(
                               bytes.data(), llvm::endianness::little);
  }
  float real() {
    const uint32_t bits = fixed<uint32_t>();
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  }
  template <typename Sum> void sum(Sum &value) {
    auto digits = value.digits();
    for (uint32_t &digit : digits)
      digit = fixed<uint32_t>();
    value = Sum::fromDigits(digits);
  }

private:
  llvm::StringRef rest;
  bool bad = false;
};
} // namespace

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void writeHistogram(Writer &writer, const Histogram &histogram) {
  uint64_t used = 0;
  for (size_t bin = 0; bin < Histogram::numBins; ++bin)
    used += histogram[bin] != 0;
  writer.number(used);
  size_t previous = 0;
  for (size_t bin = 0; bin < Histogram::numBins; ++bin)
    if (const uint64_t count = histogram[bin]) {
      writer.number(bin - previous);
      writer.number(count);
      previous = bin;
    }
}

static void writeTensor(Writer &writer,
                        const CalibrationState::Tensor &tensor) {
  const TensorStats &stats = tensor.stats;
  writer.text(tensor.id);
  writer.number(stats.channelStats.size());
  writer.number(stats.samples);
  writer.number(stats.count);
  writer.real(stats.min);
  writer.real(stats.max);
  writer.sum(stats.sum);
  writer.sum(stats.sumOfSquares);
  writer.sum(stats.sumOfMins);
  writer.sum(stats.sumOfMaxs);
  writeHistogram(writer, stats.histogram);
  for (const ChannelStats &channel : stats.channelStats) {
    writer.real(channel.min);
    writer.real(channel.max);
    writer.sum(channel.sum);
    writer.sum(channel.sumOfSquares);
  }
}

std::string CalibrationState::serialize() const {
  Writer writer;
  writer.raw(magic);
  writer.fixed<uint32_t>(formatVersion);
  writer.hash(modelHash);
  writer.number(inputs.size());
  for (const InputLayout &input : inputs) {
    writer.text(input.name);
    writer.number(input.elements);
  }
  writer.number(samples.getIntervals().size());
  uint64_t end = 0;
  for (const SampleIds::Interval &interval : samples.getIntervals()) {
    writer.number(interval.first - end);
    writer.number(interval.count);
    end = interval.first + interval.count;
  }
  writer.number(tensors.size());
  for (const Tensor &tensor : tensors)
    writeTensor(writer, tensor);
  writer.number(reservoir.size());
  for (const ReservoirSample &sample : reservoir) {
    writer.fixed<uint64_t>(sample.id);
    for (float value : sample.values)
      writer.real(value);
  }
  writer.hash(hashModel(writer.bytes));
  return std::move(writer.bytes);
}

llvm::Error CalibrationState::write(llvm::StringRef path) const {
  return writeFileAtomically(path, serialize());
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static bool isRange(float min, float max) {
  const bool negativeZero =
      (min == 0 && std::signbit(min)) || (max == 0 && std::signbit(max));
  return std::isfinite(min) && std::isfinite(max) && min <= max &&
         !negativeZero;
}

/// False unless the bins ascend and their counts add up to `expected`.
static bool readHistogram(Reader &reader, uint64_t expected,
                          Histogram &histogram) {
  const uint64_t used = reader.number();
  uint64_t total = 0;
  uint64_t bin = 0;
  for (uint64_t i = 0; i < used; ++i) {
    const uint64_t step = reader.number();
    const uint64_t count = reader.number();
    if ((i > 0 && step == 0) || step >= Histogram::numBins - bin ||
        count == 0 || count > expected - total)
      return false;
    bin += step;
    histogram.data()[bin] = count;
    total += count;
  }
  return !reader.failed() && total == expected;
}

/// The bin that `value` was counted in, where -0 may have become 0.
static bool isCounted(const Histogram &histogram, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return histogram[bits >> 16] != 0 || (value == 0 && histogram[0x8000] != 0);
}

static bool readTensor(Reader &reader, uint64_t maxSamples,
                       CalibrationState::Tensor &tensor) {
  tensor.id = reader.text();
  const uint64_t channels = reader.number();
  TensorStats stats;
  stats.samples = reader.number();
  stats.count = reader.number();
  stats.min = reader.real();
  stats.max = reader.real();
  reader.sum(stats.sum);
  reader.sum(stats.sumOfSquares);
  reader.sum(stats.sumOfMins);
  reader.sum(stats.sumOfMaxs);
  if (!isRange(stats.min, stats.max) || stats.samples > maxSamples ||
      stats.samples > stats.count ||
      (stats.samples == 0) != (stats.count == 0) ||
      !readHistogram(reader, stats.count, stats.histogram))
    return false;
  if (stats.count > 0 && !(isCounted(stats.histogram, stats.min) &&
                           isCounted(stats.histogram, stats.max)))
    return false;
  for (uint64_t c = 0; c < channels && !reader.failed(); ++c) {
    ChannelStats channel;
    channel.min = reader.real();
    channel.max = reader.real();
    reader.sum(channel.sum);
    reader.sum(channel.sumOfSquares);
    if (!isRange(channel.min, channel.max))
      return false;
    stats.channelStats.push_back(channel);
  }
  tensor.stats = std::move(stats);
  return !reader.failed() && !tensor.id.empty();
}

namespace mlir::qopt::observers {
/// Reads the parts of a file into a state.
struct CalibrationFile {
  static bool readSamples(Reader &reader, SampleIds &samples) {
    const uint64_t intervals = reader.number();
    uint64_t end = 0;
    for (uint64_t i = 0; i < intervals; ++i) {
      const uint64_t gap = reader.number();
      const uint64_t count = reader.number();
      const uint64_t limit = UINT64_C(1) << 62;
      if ((i > 0 && gap == 0) || count == 0 || gap > limit - end ||
          count > limit - (end + gap))
        return false;
      samples.intervals.push_back({end + gap, count});
      end += gap + count;
    }
    return !reader.failed();
  }

  static bool readReservoir(Reader &reader, CalibrationState &state) {
    const uint64_t size = reader.number();
    if (size != std::min(state.capacity, state.samples.size()))
      return false;
    for (uint64_t i = 0; i < size; ++i) {
      ReservoirSample sample;
      sample.id = reader.fixed<uint64_t>();
      Reader values(reader.raw(state.sampleElements * sizeof(float)));
      if (reader.failed() || !state.samples.contains(sample.id))
        return false;
      sample.values.resize(state.sampleElements);
      for (float &value : sample.values)
        value = values.real();
      const uint64_t id = sample.id;
      state.keep(std::move(sample));
      // `keep` sorts: an id out of order does not become the last one.
      if (state.reservoir.back().id != id ||
          (i > 0 && state.reservoir[i - 1].id == id))
        return false;
    }
    return true;
  }

  static bool readTensors(Reader &reader, CalibrationState &state) {
    const uint64_t size = reader.number();
    for (uint64_t i = 0; i < size; ++i) {
      CalibrationState::Tensor tensor;
      if (!readTensor(reader, state.samples.size(), tensor) ||
          (i > 0 && state.tensors.back().id >= tensor.id))
        return false;
      state.tensors.push_back(std::move(tensor));
    }
    return !reader.failed();
  }

  static CalibrationState read(Reader &reader) {
    Hash hash;
    llvm::copy(llvm::arrayRefFromStringRef(reader.raw(hash.size())),
               hash.begin());
    const uint64_t inputCount = reader.number();
    std::vector<InputLayout> inputs;
    for (uint64_t i = 0; i < inputCount && !reader.failed(); ++i) {
      std::string name = reader.text();
      inputs.push_back({std::move(name), reader.number()});
    }
    // Only tensors could be refused.
    auto state =
        llvm::cantFail(CalibrationState::create(hash, std::move(inputs), {}));
    if (!readSamples(reader, state.samples) || !readTensors(reader, state) ||
        !readReservoir(reader, state) || reader.remaining() != 0)
      reader.fail();
    return state;
  }
};
} // namespace mlir::qopt::observers

static llvm::Error damaged(llvm::StringRef name, llvm::StringRef why) {
  return makeError(419, ("'" + name + "' is damaged: " + why).str(), {},
                   "calibrate again, or copy the file again");
}

llvm::Expected<CalibrationState> CalibrationState::parse(llvm::StringRef bytes,
                                                         llvm::StringRef name) {
  if (!bytes.starts_with(magic))
    return makeError(417, ("'" + name + "' is not a .qcal file").str(), {},
                     "make one with: qopt calibrate model.onnx --calibrate "
                     "data -o out.qcal");
  Reader header(bytes.drop_front(magic.size()));
  const uint32_t version = header.fixed<uint32_t>();
  if (!header.failed() && version != formatVersion)
    return makeError(418,
                     ("'" + name + "' has format version " +
                      llvm::Twine(version) + ", expected " +
                      llvm::Twine(formatVersion))
                         .str(),
                     {}, "calibrate again with this qopt");
  const size_t headerSize = magic.size() + sizeof(uint32_t);
  Hash checksum;
  if (bytes.size() < headerSize + checksum.size())
    return damaged(name, "it ends too early");
  const llvm::StringRef body = bytes.drop_back(checksum.size());
  checksum = hashModel(body);
  if (bytes.take_back(checksum.size()) != llvm::toStringRef(checksum))
    return damaged(name, "its checksum does not match its contents");
  Reader reader(body.drop_front(headerSize));
  CalibrationState state = CalibrationFile::read(reader);
  if (reader.failed())
    return damaged(name, "its contents contradict each other");
  return state;
}

llvm::Expected<CalibrationState> CalibrationState::read(llvm::StringRef path) {
  auto file = readFile(path);
  if (!file)
    return file.takeError();
  return parse((*file)->getBuffer(), path);
}
