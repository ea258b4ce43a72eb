// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Samples, reservoir and shards.

#include "qopt/Observers/CalibrationState.h"
#include "TestSupport.h"
#include <algorithm>
#include <limits>
#include <set>

using namespace mlir::qopt::observers;

namespace {

CalibrationState emptyState(uint64_t elements = 4) {
  return llvm::cantFail(CalibrationState::create(
      hashModel("model"), {{"x", elements}}, {{"b", 0}, {"a", 2}}));
}

void addSample(CalibrationState &state, uint64_t id) {
  std::vector<float> input = normals(4, id + 1);
  llvm::cantFail(state.addSample(id, {input}));
  for (size_t t = 0; t < 2; ++t) {
    const std::vector<float> values = normals(20, 2 * id + t + 100);
    llvm::cantFail(state.observe(t, id, {values.data(), values.size()}));
  }
}

TEST(CalibrationState, defaultsAreEmpty) {
  EXPECT_EQ(InputLayout().elements, 0u);
  EXPECT_EQ(ReservoirSample().id, 0u);
  EXPECT_EQ(CalibrationState::TensorSpec().channels, 0u);
  EXPECT_EQ(CalibrationState().getReservoirCapacity(), 0u);
}

TEST(SampleIds, intervalsStayCanonical) {
  Random random(1);
  std::set<uint64_t> expected;
  SampleIds ids;
  for (int i = 0; i < 3000; ++i) {
    const uint64_t id = random.next() % 1000;
    EXPECT_EQ(ids.insert(id), expected.insert(id).second);
  }
  EXPECT_EQ(ids.size(), expected.size());
  for (uint64_t id = 0; id < 1000; ++id)
    EXPECT_EQ(ids.contains(id), expected.count(id) == 1);
  uint64_t end = 0;
  for (const auto &interval : ids.getIntervals()) {
    EXPECT_TRUE(end == 0 || interval.first > end);
    EXPECT_GT(interval.count, 0u);
    end = interval.first + interval.count;
  }
}

TEST(SampleIds, mergeAndCommon) {
  SampleIds even, odd, some;
  for (uint64_t id = 0; id < 100; ++id)
    (id % 2 ? odd : even).insert(id);
  EXPECT_EQ(even.firstCommon(odd), -1);
  some.insert(200);
  some.insert(55);
  EXPECT_EQ(odd.firstCommon(some), 55);
  EXPECT_EQ(some.firstCommon(odd), 55);
  EXPECT_EQ(even.firstCommon(some), -1);
  even.merge(odd);
  ASSERT_EQ(even.getIntervals().size(), 1u);
  EXPECT_EQ(even.size(), 100u);
}

TEST(CalibrationState, tensorsAreSortedAndFound) {
  const CalibrationState state = emptyState();
  EXPECT_EQ(state.getTensors()[0].id, "a");
  EXPECT_EQ(state.indexOf("b"), 1);
  EXPECT_EQ(state.indexOf("c"), -1);
  EXPECT_EQ(state.indexOf(""), -1);
  EXPECT_EQ(state.find("a"), &state.getTensors()[0].stats);
  EXPECT_EQ(state.find("aa"), nullptr);
}

TEST(CalibrationState, refusesBadTensorIds) {
  EXPECT_NE(refusal(CalibrationState::create(Hash{}, {}, {{"a", 0}, {"a", 0}})),
            "");
  EXPECT_NE(refusal(CalibrationState::create(Hash{}, {}, {{"", 0}})), "");
}

TEST(CalibrationState, refusesBadSamples) {
  CalibrationState state = emptyState();
  const std::vector<float> four(4), five(5);
  EXPECT_EQ(refusal(state.addSample(7, {four})), "");
  EXPECT_NE(refusal(state.addSample(7, {four})).find("Q0411"),
            std::string::npos);
  EXPECT_NE(refusal(state.addSample(8, {five})).find("Q0412"),
            std::string::npos);
  EXPECT_NE(refusal(state.addSample(8, {four, four})).find("Q0412"),
            std::string::npos);
  EXPECT_NE(refusal(state.addSample(UINT64_MAX, {four})), "");
  EXPECT_EQ(state.getSamples().size(), 1u);
}

TEST(CalibrationState, namesTensorAndSampleOfANaN) {
  CalibrationState state = emptyState();
  const float values[] = {1, 2, std::numeric_limits<float>::quiet_NaN(), 4};
  const std::string text = refusal(state.observe(1, 42, {values, 4}));
  EXPECT_NE(text.find("Q0413"), std::string::npos);
  EXPECT_NE(text.find("'b'"), std::string::npos);
  EXPECT_NE(text.find("sample 42"), std::string::npos);
  EXPECT_NE(text.find("value 2"), std::string::npos);
  EXPECT_NE(refusal(state.observe(1, 42, {values + 2, 2})).find("value 0"),
            std::string::npos);
  EXPECT_EQ(refusal(state.observe(0, 42, {values, 2})), "");
}

TEST(Reservoir, capacityFollowsFromTheInputs) {
  EXPECT_EQ(emptyState(4).getReservoirCapacity(), 64u);
  EXPECT_EQ(emptyState(262144).getReservoirCapacity(), 64u);
  EXPECT_EQ(emptyState(262145).getReservoirCapacity(), 63u);
  EXPECT_EQ(emptyState(16 << 20).getReservoirCapacity(), 1u);
  EXPECT_EQ(emptyState((16 << 20) + 1).getReservoirCapacity(), 0u);
  EXPECT_EQ(emptyState(UINT64_MAX).getReservoirCapacity(), 0u);
}

TEST(Reservoir, keepsTheSameSamplesInAnyOrder) {
  std::vector<uint64_t> ids(300);
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = i;
  CalibrationState forward = emptyState();
  for (uint64_t id : ids)
    addSample(forward, id);
  ASSERT_EQ(forward.getReservoir().size(), 64u);
  // Not just the first ones, and each with its own data.
  uint64_t largest = 0;
  for (const ReservoirSample &sample : forward.getReservoir()) {
    largest = std::max(largest, sample.id);
    EXPECT_EQ(sample.values, normals(4, sample.id + 1));
  }
  EXPECT_GT(largest, 200u);
  std::reverse(ids.begin(), ids.end());
  CalibrationState backward = emptyState();
  for (uint64_t id : ids)
    addSample(backward, id);
  EXPECT_EQ(forward.serialize(), backward.serialize());
}

/// The hash is the splitmix64 generator's first number from the id.
TEST(Reservoir, keepsTheLowestHashes) {
  CalibrationState state = emptyState();
  std::vector<std::pair<uint64_t, uint64_t>> expected;
  for (uint64_t id = 0; id < 300; ++id) {
    addSample(state, id);
    expected.push_back({Random(id).next(), id});
  }
  std::sort(expected.begin(), expected.end());
  ASSERT_EQ(state.getReservoir().size(), 64u);
  for (size_t i = 0; i < 64; ++i)
    EXPECT_EQ(state.getReservoir()[i].id, expected[i].second);
}

TEST(Reservoir, wouldKeepTellsBeforehand) {
  CalibrationState state = emptyState();
  for (uint64_t id = 0; id < 200; ++id) {
    const bool expected = state.wouldKeep(id);
    addSample(state, id);
    const bool kept =
        llvm::any_of(state.getReservoir(), [&](const ReservoirSample &sample) {
          return sample.id == id;
        });
    EXPECT_EQ(kept, expected);
  }
}

TEST(Merge, anyShardingInAnyOrderGivesTheSameBytes) {
  const uint64_t samples = 160;
  CalibrationState whole = emptyState();
  for (uint64_t id = 0; id < samples; ++id)
    addSample(whole, id);
  const std::string expected = whole.serialize();
  Random random(2);
  for (uint64_t shards : {1, 4, 16}) {
    for (int round = 0; round < 3; ++round) {
      std::vector<CalibrationState> parts;
      for (uint64_t s = 0; s < shards; ++s) {
        parts.push_back(emptyState());
        for (uint64_t id = s; id < samples; id += shards)
          addSample(parts.back(), id);
      }
      while (parts.size() > 1) {
        const size_t from = random.next() % parts.size();
        CalibrationState taken = std::move(parts[from]);
        parts.erase(parts.begin() + from);
        EXPECT_EQ(refusal(parts[random.next() % parts.size()].merge(taken)),
                  "");
      }
      EXPECT_EQ(parts[0].serialize(), expected);
    }
  }
}

TEST(Merge, refusesForeignAndOverlappingShards) {
  CalibrationState state = emptyState();
  addSample(state, 3);
  const std::string before = state.serialize();
  auto otherModel = llvm::cantFail(CalibrationState::create(
      hashModel("another"), {{"x", 4}}, {{"a", 2}, {"b", 0}}));
  EXPECT_NE(refusal(state.merge(otherModel, "'s.qcal'")).find("Q0414"),
            std::string::npos);
  const std::vector<CalibrationState::TensorSpec> differing[] = {
      {{"a", 2}}, {{"a", 2}, {"c", 0}}, {{"a", 3}, {"b", 0}}};
  for (const auto &specs : differing) {
    auto other = llvm::cantFail(
        CalibrationState::create(hashModel("model"), {{"x", 4}}, specs));
    EXPECT_NE(refusal(state.merge(other)).find("Q0415"), std::string::npos);
  }
  auto otherInput = llvm::cantFail(CalibrationState::create(
      hashModel("model"), {{"x", 5}}, {{"a", 2}, {"b", 0}}));
  EXPECT_NE(refusal(state.merge(otherInput)).find("Q0415"), std::string::npos);
  CalibrationState overlapping = emptyState();
  addSample(overlapping, 2);
  addSample(overlapping, 3);
  const std::string text = refusal(state.merge(overlapping, "'s.qcal'"));
  EXPECT_NE(text.find("Q0416"), std::string::npos);
  EXPECT_NE(text.find("'s.qcal'"), std::string::npos);
  EXPECT_NE(text.find("sample 3"), std::string::npos);
  EXPECT_EQ(state.serialize(), before);
}

TEST(Merge, theFirstSampleOverlapsToo) {
  CalibrationState state = emptyState(), other = emptyState();
  addSample(state, 0);
  addSample(other, 0);
  EXPECT_NE(refusal(state.merge(other)).find("sample 0 is in both"),
            std::string::npos);
}

TEST(Merge, emptyStatesChangeNothing) {
  CalibrationState state = emptyState();
  addSample(state, 0);
  const std::string expected = state.serialize();
  EXPECT_EQ(refusal(state.merge(emptyState())), "");
  EXPECT_EQ(state.serialize(), expected);
  CalibrationState empty = emptyState();
  EXPECT_EQ(refusal(empty.merge(state)), "");
  EXPECT_EQ(empty.serialize(), expected);
}

TEST(SampleIds, theEmptySet) {
  SampleIds none, zero;
  EXPECT_EQ(none.size(), 0u);
  EXPECT_FALSE(none.contains(0));
  EXPECT_EQ(none.firstCommon(none), -1);
  EXPECT_TRUE(zero.insert(0));
  EXPECT_FALSE(zero.insert(0));
  EXPECT_EQ(zero.size(), 1u);
  EXPECT_TRUE(zero.contains(0));
  EXPECT_FALSE(zero.contains(1));
  EXPECT_EQ(zero.firstCommon(zero), 0);
  EXPECT_EQ(zero.firstCommon(none), -1);
  EXPECT_EQ(none.firstCommon(zero), -1);
}

TEST(SampleIds, neighboursJoinOnEitherSide) {
  SampleIds ids;
  for (uint64_t id : {5, 7, 6, 4, 9})
    EXPECT_TRUE(ids.insert(id));
  ASSERT_EQ(ids.getIntervals().size(), 2u);
  EXPECT_EQ(ids.getIntervals()[0].first, 4u);
  EXPECT_EQ(ids.getIntervals()[0].count, 4u);
  EXPECT_EQ(ids.getIntervals()[1].first, 9u);
  EXPECT_EQ(ids.getIntervals()[1].count, 1u);
  SampleIds next;
  next.insert(8);
  EXPECT_EQ(ids.firstCommon(next), -1);
  EXPECT_EQ(next.firstCommon(ids), -1);
  ids.merge(next);
  ASSERT_EQ(ids.getIntervals().size(), 1u);
  EXPECT_EQ(ids.size(), 6u);
}

TEST(CalibrationState, idsEndBelow62Bits) {
  CalibrationState state = emptyState();
  const std::vector<float> four(4);
  const uint64_t end = UINT64_C(1) << 62;
  EXPECT_NE(refusal(state.addSample(end, {four})).find("Q0412"),
            std::string::npos);
  EXPECT_EQ(refusal(state.addSample(end - 1, {four})), "");
  EXPECT_EQ(refusal(state.addSample(0, {four})), "");
  const std::string bytes = state.serialize();
  auto back = CalibrationState::parse(bytes, "f");
  ASSERT_TRUE(static_cast<bool>(back)) << refusal(std::move(back));
  EXPECT_EQ(back->serialize(), bytes);
}

TEST(CalibrationState, everySizeMustAgree) {
  auto state = llvm::cantFail(
      CalibrationState::create(hashModel("model"), {{"x", 1}, {"y", 2}}, {}));
  const std::vector<float> one(1), two(2), three(3);
  EXPECT_NE(refusal(state.addSample(0, {two, two})), "");
  EXPECT_NE(refusal(state.addSample(0, {one, three})), "");
  EXPECT_NE(refusal(state.addSample(0, {one})), "");
  EXPECT_EQ(refusal(state.addSample(0, {one, two})), "");
}

TEST(Reservoir, sizesOfSeveralInputsAddUp) {
  auto capacity = [](std::vector<InputLayout> inputs) {
    return llvm::cantFail(CalibrationState::create(Hash{}, inputs, {}))
        .getReservoirCapacity();
  };
  EXPECT_EQ(capacity({}), 64u);
  EXPECT_EQ(capacity({{"x", 131072}, {"y", 131072}}), 64u);
  EXPECT_EQ(capacity({{"x", 131072}, {"y", 131073}}), 63u);
  EXPECT_EQ(capacity({{"x", UINT64_MAX}, {"y", UINT64_MAX}}), 0u);
}

TEST(Reservoir, aSampleTooLargeIsNotKept) {
  const uint64_t elements = (16 << 20) + 1;
  CalibrationState state = emptyState(elements);
  EXPECT_FALSE(state.wouldKeep(0));
  const std::vector<float> values(elements);
  EXPECT_EQ(refusal(state.addSample(0, {values})), "");
  EXPECT_TRUE(state.getReservoir().empty());
  EXPECT_EQ(state.getSamples().size(), 1u);
}

} // namespace
