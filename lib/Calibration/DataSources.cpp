// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Samples out of arrays: all headers are checked first, then one group of
// files is open at a time and one sample is read at a time.

#include "qopt/Calibration/DataSources.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <cmath>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

using Readers = std::vector<std::unique_ptr<ArrayReader>>;

SampleSource::~SampleSource() = default;

static bool equalWithoutOnes(llvm::ArrayRef<int64_t> a,
                             llvm::ArrayRef<int64_t> b) {
  auto isLong = [](int64_t dim) { return dim != 1; };
  return llvm::equal(llvm::make_filter_range(a, isLong),
                     llvm::make_filter_range(b, isLong));
}

std::optional<int64_t>
calibration::matchSamples(llvm::ArrayRef<int64_t> arrayShape,
                          llvm::ArrayRef<int64_t> inputShape) {
  if (!arrayShape.empty()) {
    llvm::ArrayRef<int64_t> rest = arrayShape.drop_front();
    if (!inputShape.empty() && inputShape.front() > 0 &&
        arrayShape.front() % inputShape.front() == 0 &&
        equalWithoutOnes(rest, inputShape.drop_front()))
      return arrayShape.front() / inputShape.front();
    if (equalWithoutOnes(rest, inputShape))
      return arrayShape.front();
  }
  if (equalWithoutOnes(arrayShape, inputShape))
    return 1;
  return std::nullopt;
}

std::pair<int64_t, int64_t> calibration::integerLimits(ElementKind type) {
  constexpr int64_t kExact = int64_t(1) << 24;
  switch (type) {
  case ElementKind::Bool:
    return {0, 1};
  case ElementKind::I8:
    return {-128, 127};
  case ElementKind::U8:
    return {0, 255};
  case ElementKind::I16:
    return {-32768, 32767};
  case ElementKind::U16:
    return {0, 65535};
  case ElementKind::U32:
  case ElementKind::U64:
    return {0, kExact};
  default:
    return {-kExact, kExact};
  }
}

static llvm::Error checkType(const ArrayReader &reader,
                             const InputSpec &input) {
  ElementKind found = reader.getKind();
  auto refuse = [&](const std::string &expected, const std::string &help) {
    return makeError(443,
                     "data for input '" + input.name + "' in '" +
                         reader.getName() + "' is " + elementName(found).str() +
                         ", but " + expected + " is expected",
                     {}, help);
  };
  if (input.u8 && found != ElementKind::U8)
    return refuse("u8", "leave --input " + input.name +
                            ":u8,... out for data that is already normalized");
  if (!isFloat(input.type) && isFloat(found))
    return refuse(elementName(input.type).str(),
                  "the model's input is an integer: store integers");
  return llvm::Error::success();
}

static llvm::Error shapeMismatch(const ArrayReader &reader,
                                 const InputSpec &input) {
  llvm::ArrayRef<int64_t> full = input.shape;
  std::string expected = "N";
  if (!full.empty() && full.front() == 1)
    full = full.drop_front();
  if (!full.empty())
    expected += "x" + formatShape(full);
  return makeError(
      444,
      "data for input '" + input.name + "' in '" + reader.getName() +
          "' has shape " + formatShape(reader.getShape()) + ", expected " +
          expected,
      {"one sample of input '" + input.name + "' is " +
       formatShape(input.shape) + "; axis 0 of the data counts samples"},
      "reshape or transpose the data, or bind the model's shape "
      "with --shape");
}

/// Opens a group's arrays and checks them; returns them with `count`.
static llvm::Expected<Readers> openGroup(const SampleGroup &group,
                                         llvm::ArrayRef<InputSpec> inputs,
                                         int64_t &count) {
  Readers readers;
  for (auto [location, input] : llvm::zip_equal(group.arrays, inputs)) {
    auto reader = location.open();
    if (!reader)
      return reader.takeError();
    if (llvm::Error error = checkType(**reader, input))
      return std::move(error);
    auto samples = matchSamples((*reader)->getShape(), input.shape);
    if (!samples)
      return shapeMismatch(**reader, input);
    if (!readers.empty() && *samples != count)
      return makeError(445,
                       "'" + readers.front()->getName() + "' has " +
                           std::to_string(count) + " samples, but '" +
                           (*reader)->getName() + "' has " +
                           std::to_string(*samples),
                       {}, "store the same number of samples for each input");
    count = *samples;
    readers.push_back(std::move(*reader));
  }
  return readers;
}

namespace {

class ArraySource : public SampleSource {
public:
  ArraySource(std::vector<SampleGroup> groups, llvm::ArrayRef<InputSpec> inputs)
      : groups(std::move(groups)), inputs(inputs) {
    for (const InputSpec &input : inputs)
      tables.push_back(makeTable(input));
  }

  llvm::Error check(std::vector<std::string> &warnings);
  int64_t size() const override { return total; }
  llvm::Error read(int64_t id, llvm::MutableArrayRef<float *> out) override;

private:
  static std::vector<float> makeTable(const InputSpec &input);
  void warn(std::vector<std::string> &warnings) const;
  llvm::Error select(int64_t id);
  llvm::Error readInput(size_t number, int64_t id, float *out);
  llvm::Error readIntegers(size_t number, int64_t id,
                           llvm::MutableArrayRef<float> out);
  void normalize(size_t number, llvm::MutableArrayRef<float> values) const;
  std::string whereIs(size_t number, int64_t id, size_t element) const;

  std::vector<SampleGroup> groups;
  llvm::ArrayRef<InputSpec> inputs;
  int64_t total = 0;
  /// 256 floats a channel for inputs with `u8`.
  std::vector<std::vector<float>> tables;
  /// The arrays of `groups[current]`; the only ones open.
  size_t current = 0;
  Readers readers;
};

} // namespace

std::vector<float> ArraySource::makeTable(const InputSpec &input) {
  std::vector<float> table;
  if (!input.u8)
    return table;
  size_t channels = std::max(input.u8->first.size(), input.u8->second.size());
  for (size_t channel = 0; channel < channels; ++channel)
    for (int value = 0; value < 256; ++value)
      table.push_back(input.u8->apply(value, channel));
  return table;
}

llvm::Error ArraySource::check(std::vector<std::string> &warnings) {
  for (size_t i = 0; i < groups.size(); ++i) {
    auto opened = openGroup(groups[i], inputs, groups[i].count);
    if (!opened)
      return opened.takeError();
    groups[i].firstId = total;
    total += groups[i].count;
    current = i;
    readers = std::move(*opened);
  }
  if (total == 0)
    return makeError(445, "'" + groups.front().arrays.front().path +
                              "' has no samples, at least one is expected");
  warn(warnings);
  return llvm::Error::success();
}

void ArraySource::warn(std::vector<std::string> &warnings) const {
  for (auto [reader, input] : llvm::zip_equal(readers, inputs))
    if (reader->getKind() == ElementKind::U8 && isFloat(input.type) &&
        !input.u8)
      warnings.push_back("input '" + input.name +
                         "' takes its u8 samples as 0 to 255; --input " +
                         input.name + ":u8,mean=0,std=1 makes them 0 to 1");
}

llvm::Error ArraySource::select(int64_t id) {
  auto next = llvm::upper_bound(groups, id,
                                [](int64_t wanted, const SampleGroup &group) {
                                  return wanted < group.firstId;
                                });
  // Groups without samples share a first id; the last of them has this one.
  size_t wanted = next - groups.begin() - 1;
  if (wanted == current && !readers.empty())
    return llvm::Error::success();
  readers.clear();
  int64_t count = 0;
  auto opened = openGroup(groups[wanted], inputs, count);
  if (!opened)
    return opened.takeError();
  if (count != groups[wanted].count)
    return makeError(442, "'" + groups[wanted].arrays.front().path +
                              "' was changed while it was read");
  current = wanted;
  readers = std::move(*opened);
  return llvm::Error::success();
}

std::string ArraySource::whereIs(size_t number, int64_t id,
                                 size_t element) const {
  return "input '" + inputs[number].name + "' in '" +
         readers[number]->getName() + "', sample " + std::to_string(id) +
         ", element " + std::to_string(element);
}

llvm::Error ArraySource::readIntegers(size_t number, int64_t id,
                                      llvm::MutableArrayRef<float> out) {
  auto [lowest, highest] = integerLimits(inputs[number].type);
  int64_t first = (id - groups[current].firstId) * out.size();
  int64_t piece[4096];
  for (size_t done = 0; done < out.size();) {
    size_t now = std::min(std::size(piece), out.size() - done);
    if (llvm::Error error =
            readers[number]->readIntegers(first + done, {piece, now}))
      return error;
    for (size_t i = 0; i < now; ++i) {
      if (piece[i] < lowest || piece[i] > highest)
        return makeError(
            446, whereIs(number, id, done + i) + " is " +
                     std::to_string(piece[i]) + ", but the input takes " +
                     std::to_string(lowest) + " to " + std::to_string(highest));
      out[done + i] = static_cast<float>(piece[i]);
    }
    done += now;
  }
  return llvm::Error::success();
}

void ArraySource::normalize(size_t number,
                            llvm::MutableArrayRef<float> values) const {
  const InputSpec &input = inputs[number];
  const std::vector<float> &table = tables[number];
  if (table.empty())
    return;
  size_t channels = table.size() / 256;
  size_t inner = 1;
  for (size_t axis = input.u8->axis + 1; axis < input.shape.size(); ++axis)
    inner *= input.shape[axis];
  for (size_t i = 0; i < values.size(); ++i) {
    size_t channel = channels == 1 ? 0 : i / inner % channels;
    values[i] = table[channel * 256 + static_cast<uint8_t>(values[i])];
  }
}

llvm::Error ArraySource::readInput(size_t number, int64_t id, float *out) {
  llvm::MutableArrayRef<float> values(out,
                                      *countElements(inputs[number].shape));
  if (!isFloat(inputs[number].type))
    return readIntegers(number, id, values);
  int64_t first = (id - groups[current].firstId) * values.size();
  if (llvm::Error error = readers[number]->readFloats(first, values))
    return error;
  normalize(number, values);
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      return makeError(446,
                       whereIs(number, id, i) + (std::isnan(values[i])
                                                     ? " is not a number"
                                                     : " is infinite as f32"),
                       {}, "remove the sample or repair the data");
  return llvm::Error::success();
}

llvm::Error ArraySource::read(int64_t id, llvm::MutableArrayRef<float *> out) {
  if (llvm::Error error = select(id))
    return error;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (llvm::Error error = readInput(i, id, out[i]))
      return error;
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<SampleSource>>
calibration::makeArraySource(std::vector<SampleGroup> groups,
                             llvm::ArrayRef<InputSpec> inputs,
                             std::vector<std::string> &warnings) {
  auto source = std::make_unique<ArraySource>(std::move(groups), inputs);
  if (llvm::Error error = source->check(warnings))
    return std::move(error);
  return std::unique_ptr<SampleSource>(std::move(source));
}
