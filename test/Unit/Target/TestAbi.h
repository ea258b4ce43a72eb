// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model of four elements behind the public ABI: y = 2 x in real values.
#pragma once

#include "TestModule.h"
#include "qopt/Target/Abi.h"

namespace mlir::qopt::target {

inline AbiSpec doublerSpec() {
  AbiSpec spec;
  spec.name = "doubler";
  spec.computeFunction = "compute";
  spec.inputs = {{"x.1", "x_1", {1, 4}, BoundaryType::I8, 0.5f, 1, -128, 127}};
  spec.outputs = {
      {"y", "y", {1, 4}, BoundaryType::I16, 0.25f, 0, -32768, 32767}};
  spec.arenaBytes = 16;
  spec.info = "{\"name\": \"doubler\"}";
  spec.maxWorkers = 2;
  return spec;
}

/// The object of `spec` around the LLVM dialect `text`.
inline std::string abiObject(const AbiSpec &spec, llvm::StringRef text,
                             llvm::StringRef cpu = "x86-64") {
  TestModule source(text);
  auto machine =
      createTargetMachine(unwrap(resolveTarget("x86_64-linux-gnu", cpu)));
  llvm::LLVMContext context;
  auto module = unwrap(translate(source.get(), context));
  module->setDataLayout(machine->createDataLayout());
  auto exports = unwrap(addAbi(*module, spec));
  EXPECT_EQ(errorOf(prepare(*module, *machine, exports)), "");
  EXPECT_EQ(errorOf(optimize(*module, *machine)), "");
  return unwrap(emitObject(*module, *machine));
}

/// With scales 0.5 and 0.25: y = 4 (x - 1), kept in the arena on its way.
inline std::string doublerObject(const AbiSpec &spec) {
  return abiObject(spec, R"(
llvm.func @compute(%x: !llvm.ptr, %y: !llvm.ptr, %arena: !llvm.ptr) {
  %v = llvm.load %x {alignment = 1 : i64} : !llvm.ptr -> vector<4xi8>
  %w = llvm.sext %v : vector<4xi8> to vector<4xi16>
  %one = llvm.mlir.constant(dense<1> : vector<4xi16>) : vector<4xi16>
  %two = llvm.mlir.constant(dense<2> : vector<4xi16>) : vector<4xi16>
  %d = llvm.sub %w, %one : vector<4xi16>
  %r = llvm.shl %d, %two : vector<4xi16>
  llvm.store volatile %r, %arena : vector<4xi16>, !llvm.ptr
  %s = llvm.load volatile %arena : !llvm.ptr -> vector<4xi16>
  llvm.store %s, %y {alignment = 2 : i64} : vector<4xi16>, !llvm.ptr
  llvm.return
}
)");
}

/// Two inputs of one element; y = a - b in integers.
inline std::string subtracterObject() {
  AbiSpec spec = doublerSpec();
  spec.name = "subtracter";
  BoundaryTensor element = spec.inputs[0];
  element.shape = {1};
  spec.inputs = {element, element};
  spec.inputs[0].name = spec.inputs[0].identifier = "a";
  spec.inputs[1].name = spec.inputs[1].identifier = "b";
  element.name = element.identifier = "y";
  spec.outputs = {element};
  return abiObject(spec, R"(
llvm.func @compute(%a: !llvm.ptr, %b: !llvm.ptr, %y: !llvm.ptr,
                   %arena: !llvm.ptr) {
  %v = llvm.load %a : !llvm.ptr -> i8
  %w = llvm.load %b : !llvm.ptr -> i8
  %d = llvm.sub %v, %w : i8
  llvm.store %d, %y : i8, !llvm.ptr
  llvm.return
}
)");
}

} // namespace mlir::qopt::target
