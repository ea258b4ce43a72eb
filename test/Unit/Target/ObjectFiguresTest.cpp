// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes and stack depths against objects whose figures are known, and fields
// that are filled in.

#include "qopt/Target/ObjectFigures.h"
#include "TestModule.h"
#include "qopt/Target/Jit.h"

using namespace mlir::qopt::target;

namespace {

constexpr const char *constantsModule = R"(
llvm.mlir.global internal constant @weights(dense<1> : tensor<1000xi8>)
    {section = ".rodata.qopt"} : !llvm.array<1000 x i8>
llvm.mlir.global external constant @m_info("{\"stack\":@@@@@@,\"code\":######}\00")
llvm.mlir.global external constant @pointer() : !llvm.ptr {
  %p = llvm.mlir.addressof @weights : !llvm.ptr
  llvm.return %p : !llvm.ptr
}
)";

TEST(Sizes, ConstantsCountOnceAndInfoCanBeLeftOut) {
  std::string object =
      TestModule(constantsModule).object({"m_info", "pointer"});
  uint64_t info = 31;
  EXPECT_EQ(unwrap(measureObject(object)).constants, 1008 + info);
  EXPECT_EQ(unwrap(measureObject(object, {"m_info"})).constants, 1008u);
  EXPECT_EQ(unwrap(measureObject(object)).code, 0u);
}

TEST(Sizes, CodeIsWhatRuns) {
  ObjectSizes sizes = unwrap(measureObject(
      TestModule("llvm.func @f() { llvm.return }").object({"f"})));
  EXPECT_EQ(sizes.code, 1u);
  EXPECT_EQ(sizes.constants, 0u);
}

TEST(Patch, FillsTheFieldFromTheRight) {
  std::string object =
      TestModule(constantsModule).object({"m_info", "pointer"});
  size_t size = object.size();
  EXPECT_EQ(errorOf(patchFixedWidth(object, "m_info", "@@@@@@", "123")), "");
  EXPECT_EQ(object.size(), size);
  EXPECT_NE(object.find("{\"stack\":   123,\"code\":######}"),
            std::string::npos);
}

TEST(Patch, RefusesWhatDoesNotFit) {
  std::string object =
      TestModule(constantsModule).object({"m_info", "pointer"});
  std::string before = object;
  auto refusal = [&](const char *symbol, const char *field, const char *value) {
    return errorOf(patchFixedWidth(object, symbol, field, value));
  };
  EXPECT_NE(refusal("m_info", "@@@@@@", "1234567").find("too wide"),
            std::string::npos);
  EXPECT_NE(refusal("m_info", "!!!!", "1").find("not there"),
            std::string::npos);
  EXPECT_NE(refusal("m_info", "@@", "1").find("there twice"),
            std::string::npos);
  EXPECT_NE(refusal("absent", "@@", "1").find("error[Q0711]"),
            std::string::npos);
  EXPECT_EQ(object, before);
}

/// A function that writes `words` stack words where nobody can see through.
std::string stackUser(const std::string &name, int words,
                      const std::string &callee) {
  return "llvm.func @" + name + "(%p: !llvm.ptr) attributes {noinline} {\n" +
         "%n = llvm.mlir.constant(" + std::to_string(words) +
         " : i64) : i64\n"
         "%a = llvm.alloca %n x i64 : (i64) -> !llvm.ptr\n"
         "llvm.inline_asm has_side_effects \"\", \"r,~{memory}\" %a"
         " : (!llvm.ptr) -> ()\n" +
         (callee.empty()
              ? std::string()
              : "llvm.call @" + callee + "(%a) : (!llvm.ptr) -> ()\n") +
         "llvm.inline_asm has_side_effects \"\", \"r,~{memory}\" %a"
         " : (!llvm.ptr) -> ()\n"
         "llvm.return\n}\n";
}

TEST(Stack, FramesAddUpAlongTheDeepestPath) {
  TestModule leaf(stackUser("leaf", 100, ""));
  uint64_t one = unwrap(stackBytes(leaf.object({"leaf"}), "leaf"));
  EXPECT_GE(one, 800u + 16);
  EXPECT_LE(one, 800u + 64);
  TestModule chain(stackUser("leaf", 100, "") + stackUser("small", 10, "") +
                   stackUser("mid", 50, "leaf") + stackUser("top", 10, "mid"));
  std::string object = chain.object({"top", "small"});
  uint64_t all = unwrap(stackBytes(object, "top"));
  EXPECT_GE(all, 8 * 160u + 32);
  EXPECT_LE(all, 8 * 160u + 160);
  EXPECT_LT(unwrap(stackBytes(object, "small")), 150u);
}

TEST(Stack, ATaskWhoseAddressIsTakenCounts) {
  TestModule module(stackUser("task", 500, "") + R"(
llvm.func @run(%parallel: !llvm.ptr) {
  %task = llvm.mlir.addressof @task : !llvm.ptr
  llvm.call %parallel(%task) : !llvm.ptr, (!llvm.ptr) -> ()
  llvm.return
}
llvm.mlir.global internal constant @table() : !llvm.ptr {
  %p = llvm.mlir.addressof @task : !llvm.ptr
  llvm.return %p : !llvm.ptr
}
llvm.func @viaTable(%i: i64) {
  %t = llvm.mlir.addressof @table : !llvm.ptr
  %e = llvm.getelementptr %t[%i] : (!llvm.ptr, i64) -> !llvm.ptr, !llvm.ptr
  %f = llvm.load %e : !llvm.ptr -> !llvm.ptr
  llvm.call %f(%e) : !llvm.ptr, (!llvm.ptr) -> ()
  llvm.return
}
)");
  std::string object = module.object({"run", "viaTable"});
  EXPECT_GE(unwrap(stackBytes(object, "run")), 4000u);
  EXPECT_GE(unwrap(stackBytes(object, "viaTable")), 4000u);
}

TEST(Stack, RealignedFramesCountTheSlack) {
  TestModule module(R"(
llvm.func @run(%p: !llvm.ptr) {
  %n = llvm.mlir.constant(1 : i64) : i64
  %a = llvm.alloca %n x i64 {alignment = 1024 : i64} : (i64) -> !llvm.ptr
  llvm.inline_asm has_side_effects "", "r,~{memory}" %a : (!llvm.ptr) -> ()
  llvm.return
}
)");
  uint64_t bytes = unwrap(stackBytes(module.object({"run"}), "run"));
  EXPECT_GE(bytes, 2 * 1024u);
  EXPECT_LE(bytes, 4 * 1024u);
}

TEST(Stack, RefusesRecursionAndUnknownFrames) {
  TestModule recursive(stackUser("a", 1, "b") + stackUser("b", 1, "a"));
  EXPECT_NE(errorOf(stackBytes(recursive.object({"a", "b"}), "a"))
                .find("calls itself"),
            std::string::npos);
  TestModule self(stackUser("a", 1, "a"));
  EXPECT_NE(errorOf(stackBytes(self.object({"a"}), "a")).find("calls itself"),
            std::string::npos);
  TestModule dynamic(R"(
llvm.func @run(%n: i64) {
  %a = llvm.alloca %n x i64 : (i64) -> !llvm.ptr
  llvm.inline_asm has_side_effects "", "r,~{memory}" %a : (!llvm.ptr) -> ()
  llvm.return
}
)");
  EXPECT_NE(
      errorOf(stackBytes(dynamic.object({"run"}), "run")).find("unknown size"),
      std::string::npos);
  EXPECT_NE(errorOf(stackBytes(dynamic.object({"run"}), "absent"))
                .find("error[Q0707]"),
            std::string::npos);
}

TEST(Strip, RecordsGoAndTheCodeStays) {
  std::string object =
      TestModule("llvm.func @f() -> i32 {\n%c = llvm.mlir.constant(7 : i32) "
                 ": i32\nllvm.return %c : i32 }")
          .object({"f"});
  EXPECT_NE(object.find(".stack_sizes"), std::string::npos);
  std::string stripped = unwrap(stripStackSizes(object));
  EXPECT_EQ(stripped.find(".stack_sizes"), std::string::npos);
  EXPECT_EQ(unwrap(measureObject(stripped)).code,
            unwrap(measureObject(object)).code);
  auto jit = unwrap(Jit::createFromObject(stripped));
  EXPECT_EQ(reinterpret_cast<int (*)()>(unwrap(jit->lookup("f")))(), 7);
}

} // namespace
