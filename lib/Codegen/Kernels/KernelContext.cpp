// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where kernels, their calls and the model's constants go.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "qopt/Codegen/Kernels/Kernel.h"
#include "qopt/IR/Qint.h"
#include "qopt/IR/Qopt.h"
#include "llvm/Support/xxhash.h"
#include <cstring>

namespace mlir::qopt::codegen {

int64_t ConstantBlob::append(llvm::ArrayRef<uint8_t> bytes, int64_t alignment) {
  return append(bytes.size(), alignment,
                [&](llvm::MutableArrayRef<uint8_t> to) {
                  llvm::copy(bytes, to.begin());
                });
}

int64_t ConstantBlob::append(
    size_t size, int64_t alignment,
    llvm::function_ref<void(llvm::MutableArrayRef<uint8_t>)> write) {
  const size_t before = data.size();
  const int64_t offset = llvm::alignTo(before, alignment);
  data.resize(offset + size);
  write(llvm::MutableArrayRef(data.data() + offset, size));
  auto bytesAt = [&](int64_t begin) { return bytes().slice(begin, size); };
  const uint64_t hash = llvm::xxh3_64bits(bytesAt(offset));
  auto [first, last] = known.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    auto [known, knownSize] = it->second;
    if (known % alignment != 0 || knownSize != size ||
        bytesAt(known) != bytesAt(offset))
      continue;
    data.resize(before);
    return known;
  }
  known.emplace(hash, std::pair(offset, size));
  return offset;
}

KernelArg KernelArg::read(const View &view) {
  KernelArg arg;
  arg.view = view;
  return arg;
}

KernelArg KernelArg::write(const View &view) {
  KernelArg arg = read(view);
  arg.isWritten = true;
  return arg;
}

KernelArg KernelArg::constant(int64_t offset, int64_t size, bool mayOverRead) {
  KernelArg arg;
  arg.mayOverRead = mayOverRead;
  arg.isConstant = true;
  arg.constantOffset = offset;
  arg.constantSize = size;
  return arg;
}

/// Whether `arg` may share bytes with something that the kernel writes.
static bool mayAlias(const KernelArg &arg, llvm::ArrayRef<KernelArg> args) {
  auto isReloaded = [](const KernelArg &other) { return other.isReloaded; };
  if (arg.isReloaded || (arg.isWritten && llvm::any_of(args, isReloaded)))
    return true;
  if (arg.isConstant)
    return false;
  for (const KernelArg &other : args)
    if (&other != &arg && !other.isConstant &&
        (other.isWritten || arg.isWritten) &&
        other.view.buffer == arg.view.buffer)
      return true;
  return false;
}

int64_t KernelContext::argumentBytes(const KernelArg &arg) {
  if (arg.isConstant)
    return arg.constantSize + (arg.mayOverRead ? overReadSlack : 0);
  bool hasSlack = buffers[arg.view.buffer].hasSlack && !arg.isWritten;
  return arg.view.spanBytes() + (hasSlack ? overReadSlack : 0);
}

void KernelContext::startVariant(const CodeVariant &given) {
  isa = given.isa;
  variant = given.name;
}

void KernelContext::markVariant(func::FuncOp function) {
  if (!variant.empty())
    function->setAttr(variantAttr, builder.getStringAttr(variant));
}

func::FuncOp KernelContext::emitKernel(Location loc, llvm::StringRef family,
                                       const llvm::Twine &params,
                                       llvm::ArrayRef<KernelArg> args,
                                       KernelBody body) {
  std::string key;
  llvm::raw_string_ostream os(key);
  os << variant << ' ' << family << '(' << params << ')';
  for (const KernelArg &arg : args) {
    os << (arg.isWritten ? " w" : " r");
    if (mayAlias(arg, args))
      os << '*';
    if (!arg.isConstant)
      os << arg.view.key();
    os << argumentBytes(arg);
  }
  func::FuncOp &kernel = kernels[key];
  if (!kernel) {
    std::string symbol = (llvm::Twine(name) + "_k" +
                          llvm::Twine(kernels.size() - 1) + "_" + family)
                             .str();
    kernel = createKernel(loc, symbol, args, body);
  }
  SmallVector<Value> operands;
  for (const KernelArg &arg : args)
    operands.push_back(argumentValue(loc, arg));
  func::CallOp::create(builder, loc, kernel, operands);
  return kernel;
}

void KernelContext::recordTile(const TileUse &use, llvm::StringRef kernel) {
  TileUse &known = tileUses.try_emplace(use.shape, use).first->second;
  if (!llvm::is_contained(known.kernels, kernel))
    known.kernels.push_back(kernel.str());
}

func::FuncOp KernelContext::createKernel(Location loc, llvm::StringRef symbol,
                                         llvm::ArrayRef<KernelArg> args,
                                         KernelBody body) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types;
  for (const KernelArg &arg : args)
    types.push_back(
        MemRefType::get({argumentBytes(arg)}, builder.getIntegerType(8)));
  // Locations carry model file names; kernels are shared between ops.
  Location unknown = builder.getUnknownLoc();
  auto kernel = func::FuncOp::create(builder, unknown, symbol,
                                     builder.getFunctionType(types, {}));
  kernel.setPrivate();
  markVariant(kernel);
  for (auto [i, arg] : llvm::enumerate(args)) {
    kernel.setArgAttr(i, LLVM::LLVMDialect::getNoCaptureAttrName(),
                      builder.getUnitAttr());
    if (!mayAlias(arg, args))
      kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                        builder.getUnitAttr());
    if (!arg.isWritten)
      kernel.setArgAttr(i, LLVM::LLVMDialect::getReadonlyAttrName(),
                        builder.getUnitAttr());
  }
  Block *entry = kernel.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  KernelBuilder kernelBuilder(builder, unknown, isa);
  body(kernelBuilder, entry->getArguments());
  builder.setInsertionPointToEnd(entry);
  func::ReturnOp::create(builder, unknown);
  return kernel;
}

Value KernelContext::argumentValue(Location loc, const KernelArg &arg) {
  Value memory = constantMemory;
  int64_t offset = arg.constantOffset;
  constantsNeedSlack |= arg.isConstant && arg.mayOverRead;
  if (!arg.isConstant) {
    const BufferBinding &buffer = buffers[arg.view.buffer];
    memory = buffer.memory;
    offset = buffer.offset + arg.view.begin() * arg.view.elementBytes();
  }
  auto type = MemRefType::get({argumentBytes(arg)}, builder.getIntegerType(8));
  if (memory.getType() == type && offset == 0)
    return memory;
  Value position = arith::ConstantIndexOp::create(builder, loc, offset);
  return memref::ViewOp::create(builder, loc, type, memory, position,
                                ValueRange{});
}

//===----------------------------------------------------------------------===//
// Constants of the model
//===----------------------------------------------------------------------===//

int64_t ConstantData::numElements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

template <typename T>
static T valueAt(llvm::ArrayRef<uint8_t> bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

int64_t ConstantData::intAt(int64_t index) const {
  switch (kind) {
  case ElementKind::I8:
    return valueAt<int8_t>(bytes, index);
  case ElementKind::I16:
    return valueAt<int16_t>(bytes, index);
  default:
    return valueAt<int32_t>(bytes, index);
  }
}

float ConstantData::floatAt(int64_t index) const {
  return valueAt<float>(bytes, index);
}

FailureOr<ConstantData> readConstant(Value value) {
  ElementsAttr attr;
  if (auto op = value.getDefiningOp<qint::ConstantOp>())
    attr = op.getValue();
  else if (auto op = value.getDefiningOp<qopt::ConstantOp>())
    attr = op.getValue();
  else
    return failure();

  ConstantData data;
  auto kind = elementKindOf(attr.getElementType());
  if (failed(kind))
    return failure();
  data.kind = *kind;
  data.shape.assign(attr.getShapedType().getShape().begin(),
                    attr.getShapedType().getShape().end());
  size_t size = data.numElements() * byteWidth(data.kind);
  llvm::ArrayRef<char> raw;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return failure();
    raw = blob->getData();
  } else if (auto dense = dyn_cast<DenseElementsAttr>(attr)) {
    raw = dense.getRawData();
    if (dense.isSplat()) {
      for (size_t i = 0; i < size; ++i)
        data.storage.push_back(raw[i % byteWidth(data.kind)]);
      data.bytes = data.storage;
      return data;
    }
  }
  if (raw.size() < size)
    return failure();
  data.bytes = llvm::ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(raw.data()), size);
  return data;
}

} // namespace mlir::qopt::codegen
