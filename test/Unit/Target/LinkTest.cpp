// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared libraries and archives made in process.

#include "qopt/Target/Link.h"
#include "TestModule.h"
#include "qopt/Support/File.h"
#include "llvm/Object/Archive.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"
#include <thread>

using namespace mlir::qopt;
using namespace mlir::qopt::target;

namespace {

constexpr const char *twiceModule = R"(
llvm.func @memset(!llvm.ptr, i32, i64) -> !llvm.ptr
llvm.mlir.global external constant @factor(2 : i32) : i32
llvm.mlir.global external constant @table() : !llvm.ptr {
  %p = llvm.mlir.addressof @twice : !llvm.ptr
  llvm.return %p : !llvm.ptr
}
llvm.func @twice(%x: i32) -> i32 {
  %p = llvm.mlir.addressof @factor : !llvm.ptr
  %f = llvm.load volatile %p : !llvm.ptr -> i32
  %y = llvm.mul %x, %f : i32
  llvm.return %y : i32
}
llvm.func @clear(%p: !llvm.ptr, %n: i64) {
  %c = llvm.mlir.constant(0 : i32) : i32
  %r = llvm.call @memset(%p, %c, %n) : (!llvm.ptr, i32, i64) -> !llvm.ptr
  llvm.return
}
)";

std::string twiceObject() {
  return TestModule(twiceModule).object({"twice", "clear", "factor", "table"});
}

TEST(LinkShared, TheLibraryLoadsAndRuns) {
  std::string library = unwrap(linkShared(twiceObject(), "libtwice.so"));
  llvm::SmallString<128> path;
  ASSERT_FALSE(
      llvm::sys::fs::createTemporaryFile("qopt-link-test", "so", path));
  ASSERT_EQ(errorOf(writeFileAtomically(path, library)), "");
  std::string why;
  auto loaded =
      llvm::sys::DynamicLibrary::getPermanentLibrary(path.c_str(), &why);
  llvm::sys::fs::remove(path);
  ASSERT_TRUE(loaded.isValid()) << why;
  auto twice =
      reinterpret_cast<int (*)(int)>(loaded.getAddressOfSymbol("twice"));
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice(21), 42);
  EXPECT_EQ(*static_cast<int (**)(int)>(loaded.getAddressOfSymbol("table")),
            twice);
  char bytes[2] = {1, 2};
  auto clear = reinterpret_cast<void (*)(char *, size_t)>(
      loaded.getAddressOfSymbol("clear"));
  clear(bytes, 1);
  EXPECT_EQ(bytes[0], 0);
  EXPECT_EQ(bytes[1], 2);
}

TEST(LinkShared, NobodyCanReplaceItsSymbols) {
  std::string library = unwrap(linkShared(twiceObject()));
  auto file = unwrap(llvm::object::ObjectFile::createObjectFile(
      llvm::MemoryBufferRef(library, "library")));
  auto *elf = llvm::dyn_cast<llvm::object::ELFObjectFileBase>(file.get());
  ASSERT_TRUE(elf);
  for (const llvm::object::SectionRef &section :
       elf->dynamic_relocation_sections())
    for (const llvm::object::RelocationRef &relocation :
         section.relocations()) {
      if (relocation.getSymbol() == elf->symbol_end())
        continue;
      std::string name = unwrap(relocation.getSymbol()->getName()).str();
      EXPECT_TRUE(name.empty() || name == "memset") << name;
    }
}

TEST(LinkShared, SameObjectSameBytes) {
  std::string object = twiceObject();
  std::string first = unwrap(linkShared(object, "a.so"));
  EXPECT_EQ(first, unwrap(linkShared(object, "a.so")));
  EXPECT_NE(first, unwrap(linkShared(object, "b.so")));
}

TEST(LinkShared, RefusalsAreErrorsAndTheLinkerStaysUsable) {
  std::string error = errorOf(linkShared("not an object"));
  EXPECT_NE(error.find("error[Q0712]"), std::string::npos) << error;
  EXPECT_EQ(errorOf(linkShared(twiceObject())), "");
}

TEST(LinkShared, ThreadsWaitForOneAnother) {
  std::string object = twiceObject();
  std::string results[2];
  std::thread other([&] { results[0] = unwrap(linkShared(object)); });
  results[1] = unwrap(linkShared(object));
  other.join();
  EXPECT_EQ(results[0], results[1]);
}

TEST(MakeArchive, OneMemberWithSymbols) {
  std::string object = twiceObject();
  std::string bytes = unwrap(makeArchive(object, "model.o"));
  EXPECT_EQ(bytes, unwrap(makeArchive(object, "model.o")));
  auto archive = unwrap(
      llvm::object::Archive::create(llvm::MemoryBufferRef(bytes, "model.a")));
  auto member = unwrap(archive->findSym("twice"));
  ASSERT_TRUE(member);
  EXPECT_EQ(unwrap(member->getName()), "model.o");
  EXPECT_EQ(unwrap(member->getMemoryBufferRef()).getBuffer(), object);
}

TEST(LinkExecutable, RefusesAMissingRuntime) {
  auto target = unwrap(resolveTarget("x86_64-linux-gnu", "x86-64"));
  std::string error = errorOf(linkExecutable(
      twiceObject(), "table", target, "/nonexistent/libQoptRuntime.a", "out"));
  EXPECT_NE(error.find("error[Q0503]"), std::string::npos);
  EXPECT_FALSE(llvm::sys::fs::exists("out"));
}

} // namespace
