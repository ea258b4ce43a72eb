// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The .qcal file: round trips, every truncation, every flipped byte, hostile
// bytes under a valid checksum.

#include "TestSupport.h"
#include "qopt/Observers/CalibrationState.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace mlir::qopt::observers;

namespace {

CalibrationState smallState(uint64_t firstId, uint64_t samples) {
  auto state = llvm::cantFail(
      CalibrationState::create(hashModel("model"), {{"x", 2}, {"y", 1}},
                               {{"conv", 0}, {"relu", 2}, {"unused", 0}}));
  for (uint64_t id = firstId; id < firstId + samples; ++id) {
    const std::vector<float> x = normals(2, id), y = normals(1, id);
    llvm::cantFail(state.addSample(id, {x, y}));
    const std::vector<float> values = normals(6, id);
    llvm::cantFail(state.observe(0, id, {values.data(), 6}));
    llvm::cantFail(state.observe(1, id, {values.data(), 6}));
  }
  return state;
}

/// `body` with the checksum that makes it pass.
std::string sealed(llvm::StringRef body) {
  const Hash hash = hashModel(body);
  return (body + llvm::toStringRef(hash)).str();
}

llvm::StringRef bodyOf(llvm::StringRef bytes) { return bytes.drop_back(32); }

TEST(CalibrationFile, roundTrip) {
  for (uint64_t samples : {0, 1, 5, 100}) {
    const CalibrationState state = smallState(1000, samples);
    const std::string bytes = state.serialize();
    auto back = CalibrationState::parse(bytes, "f.qcal");
    ASSERT_TRUE(static_cast<bool>(back)) << refusal(std::move(back));
    EXPECT_EQ(back->serialize(), bytes);
    EXPECT_EQ(back->getSamples().size(), samples);
    EXPECT_EQ(back->getModelHash(), hashModel("model"));
    ASSERT_EQ(back->getTensors().size(), 3u);
    EXPECT_EQ(back->getTensors()[1].stats.channelStats.size(), 2u);
    EXPECT_EQ(back->getReservoir().size(), std::min<uint64_t>(samples, 64));
    EXPECT_EQ(back->find("conv")->count, 6 * samples);
    EXPECT_EQ(back->find("conv")->mean(), state.find("conv")->mean());
  }
}

TEST(CalibrationFile, mergingReadShardsEqualsMergingThemInMemory) {
  const std::string first = smallState(0, 40).serialize();
  const std::string second = smallState(40, 40).serialize();
  auto merged = llvm::cantFail(CalibrationState::parse(second, "b"));
  EXPECT_EQ(refusal(merged.merge(
                llvm::cantFail(CalibrationState::parse(first, "a")))),
            "");
  EXPECT_EQ(merged.serialize(), smallState(0, 80).serialize());
}

TEST(CalibrationFile, everyTruncationIsRefused) {
  const std::string bytes = smallState(0, 2).serialize();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(refusal(CalibrationState::parse(
                  llvm::StringRef(bytes).take_front(size), "f")),
              "")
        << size;
    if (size + 32 == bytes.size())
      continue; // The whole contents, sealed anew.
    EXPECT_NE(refusal(CalibrationState::parse(
                  sealed(llvm::StringRef(bytes).take_front(size)), "f")),
              "")
        << size;
  }
}

TEST(CalibrationFile, aFileWithoutItsChecksumEndsTooEarly) {
  // Magic, version and checksum.
  const size_t shortest = 8 + 4 + 32;
  const std::string bytes = smallState(0, 2).serialize();
  for (size_t size = 8; size < 2 * shortest; ++size) {
    const std::string text = refusal(
        CalibrationState::parse(llvm::StringRef(bytes).take_front(size), "f"));
    EXPECT_NE(text.find("Q0419"), std::string::npos);
    EXPECT_EQ(text.find("too early") != std::string::npos, size < shortest);
  }
}

TEST(CalibrationFile, everyFlippedByteIsRefused) {
  std::string bytes = smallState(0, 2).serialize();
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 0x41;
    EXPECT_NE(refusal(CalibrationState::parse(bytes, "f")), "") << i;
    bytes[i] ^= 0x41;
  }
}

TEST(CalibrationFile, hostileBytesUnderAValidChecksumNeverCrash) {
  const std::string bytes = smallState(0, 3).serialize();
  const llvm::StringRef body = bodyOf(bytes);
  const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  for (size_t i = 0; i < body.size(); ++i)
    for (unsigned char value : values) {
      std::string changed = body.str();
      changed[i] = static_cast<char>(value);
      auto state = CalibrationState::parse(sealed(changed), "f");
      // What is accepted must be a state that writes the same bytes.
      if (state)
        EXPECT_EQ(state->serialize(), sealed(changed));
      else
        llvm::consumeError(state.takeError());
    }
  Random random(3);
  for (int round = 0; round < 1000; ++round) {
    std::string changed = body.str();
    for (int edits = 0; edits < 4; ++edits) {
      const size_t at = random.next() % changed.size();
      if (random.next() & 1)
        changed[at] = static_cast<char>(random.next());
      else
        changed.insert(at, "\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
    }
    auto state = CalibrationState::parse(sealed(changed), "f");
    if (!state)
      llvm::consumeError(state.takeError());
  }
}

std::string hostile(llvm::StringRef tail) {
  std::string body = smallState(0, 0).serialize().substr(0, 44);
  return sealed(body + tail.str());
}

TEST(CalibrationFile, hugeCountsAllocateNothing) {
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  // Inputs, intervals, tensors, channels.
  EXPECT_NE(refusal(CalibrationState::parse(hostile(huge), "f")), "");
  EXPECT_NE(refusal(CalibrationState::parse(
                hostile(std::string(1, '\0') + huge), "f")),
            "");
  EXPECT_NE(refusal(CalibrationState::parse(
                hostile(std::string(2, '\0') + huge), "f")),
            "");
  EXPECT_NE(refusal(CalibrationState::parse(hostile(std::string(2, '\0') +
                                                    "\x01\x01"
                                                    "a" +
                                                    huge),
                                            "f")),
            "");
}

TEST(CalibrationFile, errorsSayWhatIsWrong) {
  auto codeOf = [](const std::string &text) { return text.substr(6, 5); };
  EXPECT_EQ(codeOf(refusal(CalibrationState::parse("", "f"))), "Q0417");
  EXPECT_EQ(codeOf(refusal(CalibrationState::parse("PK\3\4 something", "f"))),
            "Q0417");
  std::string bytes = smallState(0, 1).serialize();
  std::string version = bytes;
  version[8] = 2;
  EXPECT_EQ(codeOf(refusal(CalibrationState::parse(version, "f"))), "Q0418");
  bytes.back() ^= 1;
  EXPECT_EQ(codeOf(refusal(CalibrationState::parse(bytes, "f"))), "Q0419");
}

TEST(CalibrationFile, contradictionsAreRefused) {
  // The count of tensor "unused" says one value, its histogram says none.
  const std::string bytes = smallState(0, 0).serialize();
  const size_t at = bytes.find("unused") + 6;
  for (size_t field : {1, 2}) {
    std::string changed = bodyOf(bytes).str();
    changed[at + field] = 1;
    EXPECT_NE(refusal(CalibrationState::parse(sealed(changed), "f")), "");
  }
}

TEST(CalibrationFile, countsThatWrapAroundAreRefused) {
  // Two bins of 2^63 values add up to no value.
  const std::string bytes = smallState(0, 0).serialize();
  const size_t bins = bytes.find("unused") + 6 + 3 + 8 + 4 * (3 * 11 + 20);
  const std::string half("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
  std::string changed = bodyOf(bytes).str();
  ASSERT_EQ(changed[bins], 0);
  changed.replace(bins, 1, "\x02\x01" + half + "\x01" + half);
  EXPECT_NE(refusal(CalibrationState::parse(sealed(changed), "f")), "");
}

TEST(CalibrationFile, negativeZeroExtremesAreRefused) {
  const std::string bytes = smallState(0, 0).serialize();
  const size_t min = bytes.find("unused") + 6 + 3;
  for (size_t end : {min, min + 4}) {
    std::string changed = bodyOf(bytes).str();
    changed[end + 3] = '\x80';
    EXPECT_NE(refusal(CalibrationState::parse(sealed(changed), "f")), "");
  }
}

/// One tensor "t" that saw `values` in one sample.
std::string stateOf(std::vector<float> values, size_t channels = 0) {
  auto state = llvm::cantFail(CalibrationState::create(
      hashModel("model"), {{"x", 1}}, {{"t", channels}}));
  const float sample = 1;
  llvm::cantFail(state.addSample(0, {llvm::ArrayRef(sample)}));
  llvm::cantFail(state.observe(0, 0, {values.data(), values.size()}));
  return state.serialize();
}

/// Minus zero is counted in a bin of its own, but not as an extreme.
TEST(CalibrationFile, zerosOfBothSignsRoundTrip) {
  const std::vector<float> cases[] = {{-0.0f},    {0.0f},        {-0.0f, -1},
                                      {-0.0f, 1}, {0.0f, -0.0f}, {-1e-45f, 1}};
  for (const std::vector<float> &values : cases) {
    const std::string bytes = stateOf(values, 1);
    auto back = CalibrationState::parse(bytes, "f");
    ASSERT_TRUE(static_cast<bool>(back)) << refusal(std::move(back));
    EXPECT_EQ(back->serialize(), bytes);
  }
}

/// The bytes of `stateOf` with one of them changed, at an offset into the
/// tensor behind its id: channels, samples, count, min, max, sums, bins.
std::string changedTensor(std::vector<float> values, size_t offset,
                          llvm::StringRef replacement) {
  const std::string bytes = stateOf(values);
  std::string changed = bodyOf(bytes).str();
  const size_t at = changed.find("\1t") + 2;
  changed.replace(at + offset, replacement.size(), replacement.str());
  return sealed(changed);
}

std::string parsed(const std::string &bytes) {
  return refusal(CalibrationState::parse(bytes, "f"));
}

TEST(CalibrationFile, extremesMustBeCountedOnes) {
  const std::vector<float> values = {-2, 3};
  EXPECT_EQ(parsed(changedTensor(values, 3, {"\0\0\0\xc0", 4})), "");
  // A smallest value of -4, a largest one of 4, both the wrong way round.
  EXPECT_NE(parsed(changedTensor(values, 3, {"\0\0\x80\xc0", 4})), "");
  EXPECT_NE(parsed(changedTensor(values, 7, {"\0\0\x80\x40", 4})), "");
  EXPECT_NE(parsed(changedTensor(values, 3, {"\0\0\x40\x40\0\0\0\xc0", 8})),
            "");
  // Zero was no value, and one is not zero.
  EXPECT_NE(parsed(changedTensor(values, 3, {"\0\0\0\0", 4})), "");
  EXPECT_NE(parsed(changedTensor({-0.0f, 3}, 7, {"\0\0\x80\x3f", 4})), "");
  // Infinity.
  EXPECT_NE(parsed(changedTensor(values, 7, {"\0\0\x80\x7f", 4})), "");
  // A single value has to be both: 2 was not 3.
  EXPECT_NE(parsed(changedTensor({3}, 3, {"\0\0\0\x40", 4})), "");
}

TEST(CalibrationFile, extremesOfChannelsAreARange) {
  const std::string good = stateOf({-2, 3}, 1);
  // Behind the channel come a sample's id and value, and their number.
  const size_t channel = bodyOf(good).size() - (1 + 8 + 4) - 4 * (2 + 11 + 20);
  auto withExtremes = [&](llvm::StringRef bytes) {
    std::string body = bodyOf(good).str();
    body.replace(channel, 8, bytes.str());
    return parsed(sealed(body));
  };
  EXPECT_EQ(withExtremes({"\0\0\0\xc0\0\0\x40\x40", 8}), "");
  // The wrong way round, minus zero, infinity.
  EXPECT_NE(withExtremes({"\0\0\x40\x40\0\0\0\xc0", 8}), "");
  EXPECT_NE(withExtremes({"\0\0\0\x80\0\0\x40\x40", 8}), "");
  EXPECT_NE(withExtremes({"\0\0\0\xc0\0\0\x80\x7f", 8}), "");
}

TEST(CalibrationFile, countsMustAgree) {
  const std::vector<float> values = {-2, 3};
  EXPECT_EQ(parsed(changedTensor(values, 1, {"\1\2", 2})), "");
  // More samples than were run, no sample, no value, fewer values than bins
  // have, more.
  for (llvm::StringRef counts :
       {llvm::StringRef("\2\2", 2), llvm::StringRef("\0\2", 2),
        llvm::StringRef("\1\0", 2), llvm::StringRef("\1\1", 2),
        llvm::StringRef("\1\3", 2)})
    EXPECT_NE(parsed(changedTensor(values, 1, counts)), "");
}

/// Each sample that a tensor saw brought it at least one value.
TEST(CalibrationFile, samplesAreNoMoreThanValues) {
  auto state = llvm::cantFail(
      CalibrationState::create(hashModel("model"), {{"x", 1}}, {{"t", 0}}));
  const float value = 2;
  for (uint64_t id : {0, 1})
    llvm::cantFail(state.addSample(id, {llvm::ArrayRef(value)}));
  llvm::cantFail(state.observe(0, 0, {&value, 1}));
  std::string body = bodyOf(state.serialize()).str();
  const size_t samples = body.find("\1t") + 3;
  ASSERT_EQ(body[samples], 1);
  EXPECT_EQ(parsed(sealed(body)), "");
  body[samples] = 2;
  EXPECT_NE(parsed(sealed(body)), "");
}

TEST(CalibrationFile, binsMustAscendWithinTheirNumber) {
  const size_t bins = 3 + 8 + 4 * (3 * 11 + 20);
  const std::vector<float> values = {1, 2, 4};
  const std::string good = stateOf(values);
  const size_t at = good.find("\1t") + 2 + bins;
  ASSERT_EQ(good[at], 3);
  // Bins 0x3f80, 0x4000 and 0x4080: a step of two or three bytes, a count.
  const llvm::StringRef steps("\x80\x7f\1\x80\1\1\x80\1\1", 9);
  ASSERT_EQ(llvm::StringRef(good).substr(at + 1, 9), steps);
  // The middle bin twice; its count zero.
  EXPECT_NE(parsed(changedTensor(values, bins + 4, {"\x80\0\1", 3})), "");
  EXPECT_NE(parsed(changedTensor(values, bins + 4, {"\x80\1\0", 3})), "");
  std::string same = bodyOf(good).str();
  same.replace(at + 4, 6, std::string("\0\1\x80\2\1", 5));
  EXPECT_NE(parsed(sealed(same)), "");
  // Past the last bin, in one step and in two.
  for (llvm::StringRef step : {"\x80\x80\4\1", "\x80\xff\3\1"}) {
    std::string past = bodyOf(good).str();
    past.replace(at + 4, 3, step.str());
    EXPECT_NE(parsed(sealed(past)), "");
  }
}

/// A value too many, counted past the last bin.
TEST(CalibrationFile, noBinIsPastTheLastOne) {
  const std::string good = stateOf({3, -2});
  const size_t tensor = good.find("\1t") + 2;
  const size_t bins = tensor + 3 + 8 + 4 * (3 * 11 + 20);
  // Bins 0x4040 and 0xc000.
  const llvm::StringRef used("\2\xc0\x80\1\1\xc0\xff\1\1", 9);
  ASSERT_EQ(llvm::StringRef(good).substr(bins, 9), used);
  for (bool inside : {true, false}) {
    std::string body = bodyOf(good).str();
    body[tensor + 2] = 3;
    body[bins] = 3;
    body.insert(bins + 9, inside ? "\xff\x7f\1" : "\x80\x80\1\1");
    EXPECT_EQ(parsed(sealed(body)).empty(), inside);
  }
}

TEST(CalibrationFile, samplesMustBeCanonicalIntervals) {
  auto withSamples = [](llvm::StringRef intervals) {
    // No input, these samples, no tensor, a reservoir of 64 empty samples or
    // fewer.
    return parsed(hostile(std::string(1, '\0') + intervals.str()));
  };
  auto kept = [](std::initializer_list<int> ids) {
    std::string tail("\0", 1);
    tail += static_cast<char>(ids.size());
    for (int id : ids)
      tail += static_cast<char>(id) + std::string(7, '\0');
    return tail;
  };
  EXPECT_EQ(withSamples(std::string("\1\0\1", 3) + kept({0})), "");
  // Wrong length, another id, one byte more.
  EXPECT_NE(withSamples(std::string("\1\0\1", 3) + kept({})), "");
  EXPECT_NE(withSamples(std::string("\1\0\1", 3) + kept({1})), "");
  EXPECT_NE(withSamples(std::string("\1\0\1", 3) + kept({0, 0})), "");
  EXPECT_NE(withSamples(std::string("\1\0\1", 3) + kept({0}) + "x"), "");
  // Two samples: in the order of their hashes, none twice.
  const bool ascending =
      withSamples(std::string("\1\0\2", 3) + kept({0, 1})).empty();
  const bool descending =
      withSamples(std::string("\1\0\2", 3) + kept({1, 0})).empty();
  EXPECT_NE(ascending, descending);
  EXPECT_NE(withSamples(std::string("\1\0\2", 3) + kept({0, 0})), "");
  EXPECT_NE(withSamples(std::string("\1\0\2", 3) + kept({1, 1})), "");
  // An interval of no sample; two that touch.
  EXPECT_NE(withSamples(std::string("\1\0\0", 3) + kept({})), "");
  EXPECT_NE(withSamples(std::string("\2\0\1\0\1", 5) + kept({0, 1})), "");
  EXPECT_NE(withSamples(std::string("\2\0\1\0\1", 5) + kept({1, 0})), "");
}

TEST(CalibrationFile, sampleIdsEndBelow62Bits) {
  auto withSample = [](uint64_t id, llvm::StringRef first) {
    // No input, one interval, no tensor, one sample of no value.
    std::string tail =
        std::string("\0\1", 2) + first.str() + std::string("\1\0\1", 3);
    for (int byte = 0; byte < 8; ++byte)
      tail += static_cast<char>(id >> (8 * byte));
    return parsed(hostile(tail));
  };
  const uint64_t end = UINT64_C(1) << 62;
  EXPECT_EQ(withSample(end - 1, "\xff\xff\xff\xff\xff\xff\xff\xff\x3f"), "");
  EXPECT_NE(withSample(end, "\x80\x80\x80\x80\x80\x80\x80\x80\x40"), "");
}

TEST(CalibrationFile, textsHaveALimit) {
  for (size_t size : {4096, 4097}) {
    auto state = llvm::cantFail(CalibrationState::create(
        hashModel("model"), {}, {{std::string(size, 'n'), 0}}));
    EXPECT_EQ(parsed(state.serialize()).empty(), size == 4096);
  }
}

TEST(CalibrationFile, tensorsMustAscend) {
  const std::string bytes = smallState(0, 0).serialize();
  for (const char *id : {"\6unused", "\4relu"}) {
    std::string changed = bodyOf(bytes).str();
    changed.replace(changed.find(id) + 1, 1, "a");
    EXPECT_NE(parsed(sealed(changed)), "");
  }
  auto pair = llvm::cantFail(
      CalibrationState::create(hashModel("model"), {}, {{"ta", 0}, {"tb", 0}}));
  const std::string both = pair.serialize();
  std::string twice = bodyOf(both).str();
  twice.replace(twice.find("tb"), 2, "ta");
  EXPECT_NE(parsed(sealed(twice)), "");
}

class OnDisk : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("qcal", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }
  std::string path(llvm::StringRef name) { return (folder + "/" + name).str(); }
  llvm::SmallString<128> folder;
};

TEST_F(OnDisk, mergeFilesInAnyOrder) {
  for (uint64_t s = 0; s < 3; ++s)
    EXPECT_EQ(
        refusal(
            smallState(30 * s, 30).write(path(std::to_string(s) + ".qcal"))),
        "");
  const std::string expected = smallState(0, 90).serialize();
  const int orders[][3] = {{0, 1, 2}, {2, 0, 1}, {1, 2, 0}};
  for (const auto &order : orders) {
    std::vector<std::string> paths;
    for (int s : order)
      paths.push_back(path(std::to_string(s) + ".qcal"));
    auto merged = mergeFiles(paths);
    ASSERT_TRUE(static_cast<bool>(merged)) << refusal(std::move(merged));
    EXPECT_EQ(merged->serialize(), expected);
  }
}

// So many files merge in parts, on threads.
TEST_F(OnDisk, mergeManyFiles) {
  std::vector<std::string> paths;
  for (uint64_t s = 0; s < 200; ++s) {
    paths.push_back(path(std::to_string(s) + ".qcal"));
    llvm::cantFail(smallState(2 * s, 2).write(paths.back()));
  }
  auto merged = mergeFiles(paths);
  ASSERT_TRUE(static_cast<bool>(merged)) << refusal(std::move(merged));
  EXPECT_EQ(merged->serialize(), smallState(0, 400).serialize());

  // Those that are wrong are named as in a list of few: in one part, in two.
  for (std::string name : {"odd.qcal", "gone.qcal"}) {
    paths.push_back(path(name));
    if (name == "odd.qcal")
      llvm::cantFail(smallState(7, 1).write(paths.back()));
    EXPECT_NE(refusal(mergeFiles(paths)).find(name), std::string::npos);
    paths.front().swap(paths.back());
    EXPECT_NE(refusal(mergeFiles(paths)), "");
    paths.front().swap(paths.back());
    paths.pop_back();
  }
}

TEST_F(OnDisk, mergeFilesRefusals) {
  EXPECT_NE(refusal(mergeFiles({})), "");
  EXPECT_NE(refusal(mergeFiles({path("missing.qcal")})).find("missing.qcal"),
            std::string::npos);
  llvm::cantFail(smallState(0, 5).write(path("a.qcal")));
  for (bool first : {true, false}) {
    std::vector<std::string> paths = {path("missing.qcal"), path("a.qcal")};
    if (!first)
      std::swap(paths[0], paths[1]);
    const std::string text = refusal(mergeFiles(paths));
    EXPECT_NE(text.find("missing.qcal"), std::string::npos);
    EXPECT_EQ(text.find("Q0414"), std::string::npos);
  }
  llvm::cantFail(smallState(4, 5).write(path("b.qcal")));
  const std::string text =
      refusal(mergeFiles({path("a.qcal"), path("b.qcal")}));
  EXPECT_NE(text.find("Q0416"), std::string::npos);
  EXPECT_NE(text.find("b.qcal"), std::string::npos);
}

} // namespace
