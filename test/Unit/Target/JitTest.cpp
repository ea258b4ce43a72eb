// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code that runs in this process, and what the JIT refuses.

#include "qopt/Target/Jit.h"
#include "TestModule.h"

using namespace mlir;
using namespace mlir::qopt::target;

namespace {

constexpr const char *addModule = R"(
llvm.mlir.global external constant @answer(42 : i32) : i32
llvm.func @add(%a: i32, %b: i32) -> i32 {
  %p = llvm.mlir.addressof @answer : !llvm.ptr
  %c = llvm.load %p : !llvm.ptr -> i32
  %s = llvm.add %a, %b : i32
  %t = llvm.add %s, %c : i32
  llvm.return %t : i32
}
)";

TEST(Jit, RunsAndFindsGlobals) {
  TestModule source(addModule);
  auto jit = unwrap(Jit::create(source.get(), {"add", "answer"}));
  ASSERT_TRUE(jit);
  auto add = reinterpret_cast<int (*)(int, int)>(unwrap(jit->lookup("add")));
  EXPECT_EQ(add(1, 2), 45);
  EXPECT_EQ(*static_cast<int *>(unwrap(jit->lookup("answer"))), 42);
  EXPECT_NE(errorOf(jit->lookup("absent")).find("error[Q0706]"),
            std::string::npos);
}

TEST(Jit, SeveralLiveAtOnce) {
  TestModule source(addModule);
  auto first = unwrap(Jit::create(source.get(), {"add"}));
  auto second = unwrap(Jit::create(source.get(), {"add"}));
  ASSERT_TRUE(first && second);
  EXPECT_NE(unwrap(first->lookup("add")), unwrap(second->lookup("add")));
}

TEST(Jit, MemoryFunctionsAreThere) {
  TestModule source(R"(
llvm.func @memcpy(!llvm.ptr, !llvm.ptr, i64) -> !llvm.ptr
llvm.func @copy(%to: !llvm.ptr, %from: !llvm.ptr, %n: i64) {
  %r = llvm.call @memcpy(%to, %from, %n)
      : (!llvm.ptr, !llvm.ptr, i64) -> !llvm.ptr
  llvm.return
}
)");
  auto jit = unwrap(Jit::create(source.get(), {"copy"}));
  ASSERT_TRUE(jit);
  auto copy = reinterpret_cast<void (*)(void *, const void *, size_t)>(
      unwrap(jit->lookup("copy")));
  char to[4] = {};
  copy(to, "abc", 4);
  EXPECT_STREQ(to, "abc");
}

TEST(Jit, SeesNothingElseOfTheProcess) {
  TestModule source(R"(
llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @run(%n: i64) -> !llvm.ptr {
  %r = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
  llvm.return %r : !llvm.ptr
}
)");
  EXPECT_NE(errorOf(Jit::create(source.get(), {"run"})).find("error[Q0706]"),
            std::string::npos);
}

TEST(Jit, ReadsDataOfTheProcessWhereItLies) {
  TestModule source(R"(
llvm.mlir.global external constant @numbers() : !llvm.array<4 x i8>
llvm.func @third() -> i8 {
  %p = llvm.mlir.addressof @numbers : !llvm.ptr
  %q = llvm.getelementptr %p[2] : (!llvm.ptr) -> !llvm.ptr, i8
  %r = llvm.load %q : !llvm.ptr -> i8
  llvm.return %r : i8
}
)");
  ObjectCache cache;
  JitOptions options;
  options.cache = &cache;
  for (char first : {10, 20}) {
    const char numbers[] = {first, char(first + 1), char(first + 2), 0};
    options.data = {{"numbers", numbers}};
    auto jit = unwrap(Jit::create(source.get(), {"third"}, options));
    ASSERT_TRUE(jit);
    auto third = reinterpret_cast<char (*)()>(unwrap(jit->lookup("third")));
    EXPECT_EQ(third(), first + 2);
  }
  // Where the data lies is no part of the code.
  EXPECT_EQ(cache.size(), 1u);
  options.data.clear();
  EXPECT_NE(errorOf(Jit::create(source.get(), {"third"}, options))
                .find("error[Q0706]"),
            std::string::npos);
}

TEST(Jit, FusedMultiplyAddIsExplicitOnly) {
  TestModule source(R"(
llvm.func @run(%a: f32, %b: f32, %c: f32) -> f32 {
  %p = llvm.fmul %a, %b : f32
  %s = llvm.fadd %p, %c : f32
  llvm.return %s : f32
}
)");
  JitOptions options;
  auto jit = unwrap(Jit::create(source.get(), {"run"}, options));
  ASSERT_TRUE(jit);
  auto run = reinterpret_cast<float (*)(float, float, float)>(
      unwrap(jit->lookup("run")));
  // The product 1 + 2^-11 + 2^-24 loses its last bit before the sum.
  EXPECT_EQ(run(1.0f + 0x1p-12f, 1.0f + 0x1p-12f, -1.0f - 0x1p-11f), 0.0f);
}

TEST(Jit, CacheHoldsOneObjectAModule) {
  ObjectCache cache;
  JitOptions options;
  options.cache = &cache;
  TestModule source(addModule);
  ASSERT_TRUE(unwrap(Jit::create(source.get(), {"add"}, options)));
  EXPECT_EQ(cache.size(), 1u);
  auto again = unwrap(Jit::create(source.get(), {"add"}, options));
  EXPECT_EQ(cache.size(), 1u);
  auto add = reinterpret_cast<int (*)(int, int)>(unwrap(again->lookup("add")));
  EXPECT_EQ(add(1, 2), 45);
  options.target.cpu = "x86-64";
  ASSERT_TRUE(unwrap(Jit::create(source.get(), {"add"}, options)));
  EXPECT_EQ(cache.size(), 2u);
}

TEST(Jit, RefusesACpuWithoutFMA) {
  TestModule source(addModule);
  JitOptions options;
  options.needsFMA = true;
  options.target.cpu = "x86-64";
  EXPECT_NE(
      errorOf(Jit::create(source.get(), {"add"}, options)).find("error[Q0334]"),
      std::string::npos);
}

TEST(Jit, RefusesForeignInstructions) {
  TestModule source(addModule);
  JitOptions options;
  options.target.features = "+fma4,+xop,+tbm,+lwp";
  EXPECT_NE(errorOf(Jit::create(source.get(), {"add"}, options))
                .find("does not run on this machine"),
            std::string::npos);
}

TEST(Jit, RefusesBytesThatAreNoObject) {
  auto jit = Jit::createFromObject("not an object");
  std::string error =
      jit ? errorOf((*jit)->lookup("run")) : errorOf(std::move(jit));
  EXPECT_NE(error.find("error[Q0706]"), std::string::npos);
}

} // namespace
