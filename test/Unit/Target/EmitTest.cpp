// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the LLVM dialect to bytes: attributes, exports, determinism and the
// refusals on the way.

#include "TestModule.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/Object/ELFObjectFile.h"

using namespace mlir;
using namespace mlir::qopt::target;

namespace {

/// Sums 16 integers with the help of a function that nobody else needs.
constexpr const char *sumModule = R"(
llvm.mlir.global internal constant @weights(dense<[1, 2, 3, 4]> : tensor<4xi32>)
    {section = ".rodata.qopt"} : !llvm.array<4 x i32>
llvm.func @helper(%x: i32) -> i32 attributes {noinline} {
  %p = llvm.mlir.addressof @weights : !llvm.ptr
  %w = llvm.load %p : !llvm.ptr -> i32
  %y = llvm.mul %x, %w : i32
  llvm.return %y : i32
}
llvm.func @run(%x: i32) -> i32 {
  %y = llvm.call @helper(%x) : (i32) -> i32
  llvm.return %y : i32
}
)";

struct Lowered {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;

  Lowered(llvm::StringRef text, std::vector<std::string> exports,
          llvm::StringRef cpu) {
    TestModule source(text);
    machine =
        createTargetMachine(unwrap(resolveTarget("x86_64-linux-gnu", cpu)));
    module =
        unwrap(lowerToOptimizedIR(source.get(), context, *machine, exports));
  }
};

TEST(Prepare, FunctionsCarryTheTarget) {
  Lowered lowered(sumModule, {"run", "helper"}, "cascadelake");
  llvm::Function *run = lowered.module->getFunction("run");
  ASSERT_TRUE(run);
  EXPECT_EQ(run->getFnAttribute("target-cpu").getValueAsString(),
            "cascadelake");
  EXPECT_EQ(run->getFnAttribute("prefer-vector-width").getValueAsString(),
            "512");
  EXPECT_TRUE(run->hasFnAttribute(llvm::Attribute::NoUnwind));
  EXPECT_TRUE(run->hasFnAttribute(llvm::Attribute::NoRedZone));
  EXPECT_FALSE(run->hasFnAttribute(llvm::Attribute::UWTable));
  Lowered narrow(sumModule, {"run", "helper"}, "haswell");
  EXPECT_EQ(narrow.module->getFunction("run")
                ->getFnAttribute("prefer-vector-width")
                .getValueAsString(),
            "256");
}

TEST(Prepare, OnlyExportsAreVisible) {
  std::string object = TestModule(sumModule).object({"run"});
  auto file = unwrap(llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(object, "test")));
  std::vector<std::string> global;
  for (const llvm::object::SymbolRef &symbol : file->symbols())
    if (unwrap(symbol.getFlags()) & llvm::object::SymbolRef::SF_Global)
      global.push_back(unwrap(symbol.getName()).str());
  EXPECT_EQ(global, std::vector<std::string>{"run"});
}

TEST(Prepare, RefusesAnExportWithoutDefinition) {
  TestModule source("llvm.func @declared()");
  auto machine = createTargetMachine(unwrap(resolveTarget("", "")));
  for (const char *name : {"declared", "absent"}) {
    llvm::LLVMContext context;
    EXPECT_NE(
        errorOf(lowerToOptimizedIR(source.get(), context, *machine, {name}))
            .find("error[Q0703]"),
        std::string::npos);
  }
}

TEST(Translate, RefusesOpsOfOtherDialects) {
  MLIRContext context;
  context.allowUnregisteredDialects();
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  auto module =
      parseSourceString<ModuleOp>("\"other.op\"() : () -> ()", &context);
  llvm::LLVMContext llvmContext;
  EXPECT_NE(errorOf(translate(*module, llvmContext)).find("error[Q0702]"),
            std::string::npos);
}

TEST(Optimize, LoopsStayLoops) {
  Lowered lowered(R"(
llvm.func @fill(%p: !llvm.ptr, %n: i64) {
  %zero = llvm.mlir.constant(0 : i64) : i64
  %one = llvm.mlir.constant(1 : i64) : i64
  %byte = llvm.mlir.constant(7 : i8) : i8
  llvm.br ^loop(%zero : i64)
^loop(%i: i64):
  %at = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i8
  llvm.store %byte, %at : i8, !llvm.ptr
  %next = llvm.add %i, %one : i64
  %more = llvm.icmp "ult" %next, %n : i64
  llvm.cond_br %more, ^loop(%next : i64), ^end
^end:
  llvm.return
}
)",
                  {"fill"}, "x86-64-v4");
  std::string text = emitLLVMIR(*lowered.module);
  EXPECT_EQ(text.find("memset"), std::string::npos) << text;
  EXPECT_EQ(text.find(" x i8>"), std::string::npos) << text;
}

TEST(Optimize, NoLibraryFunctionComesIn) {
  Lowered lowered(R"(
llvm.mlir.global internal constant @text("hello\0A\00")
llvm.func @printf(!llvm.ptr, ...) -> i32
llvm.func @run() {
  %p = llvm.mlir.addressof @text : !llvm.ptr
  %r = llvm.call @printf(%p) vararg(!llvm.func<i32 (ptr, ...)>)
      : (!llvm.ptr) -> i32
  llvm.return
}
)",
                  {"run"}, "haswell");
  EXPECT_FALSE(lowered.module->getFunction("puts"));
}

TEST(Emit, SameInputSameBytes) {
  std::string first = TestModule(sumModule).object({"run"});
  // Another module in between must leave no trace.
  TestModule("llvm.func @other() { llvm.return }").object({"other"});
  EXPECT_EQ(first, TestModule(sumModule).object({"run"}));
  EXPECT_NE(first, TestModule(sumModule).object({"run", "helper"}));
}

TEST(Emit, WritingOneKindLeavesTheModuleAsItIs) {
  Lowered lowered(sumModule, {"run"}, "haswell");
  std::string before = emitLLVMIR(*lowered.module);
  std::string object = unwrap(emitObject(*lowered.module, *lowered.machine));
  std::string assembly =
      unwrap(emitAssembly(*lowered.module, *lowered.machine));
  EXPECT_NE(assembly.find("\nrun:"), std::string::npos);
  EXPECT_EQ(before, emitLLVMIR(*lowered.module));
  EXPECT_EQ(object, unwrap(emitObject(*lowered.module, *lowered.machine)));
}

TEST(Emit, BadInlineAssemblyIsAnErrorNotAnExit) {
  Lowered lowered(R"(
llvm.func @run() {
  llvm.inline_asm has_side_effects "not_an_instruction", "" : () -> ()
  llvm.return
}
)",
                  {"run"}, "haswell");
  EXPECT_NE(errorOf(emitObject(*lowered.module, *lowered.machine))
                .find("error[Q0705]"),
            std::string::npos);
}

} // namespace
