// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ids of a foreign module's values, and the hash that says which model it is.

#include "FromTosa.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "qopt/Interop/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/SHA256.h"

namespace mlir::qopt {
#define GEN_PASS_DEF_MARKVALUES
#include "qopt/Interop/Passes.h.inc"

static constexpr llvm::StringLiteral hashAttr = "qopt.model_hash";

/// An op whose value may need a range.
static bool isMarked(Operation &op) {
  if (!isa_and_nonnull<tosa::TosaDialect>(op.getDialect()) ||
      isa<tosa::ConstOp>(op) || op.getNumResults() != 1)
    return false;
  // Bools and the indices of argmax are numbers in qopt.
  Type type = getElementTypeOrSelf(op.getResult(0).getType());
  return isa<FloatType>(type) || type.isInteger(1) || isa<tosa::ArgMaxOp>(op);
}

namespace {

class Marker {
public:
  explicit Marker(func::FuncOp function) : function(function) {
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (auto id = function.getArgAttrOfType<StringAttr>(i, idAttr))
        used.insert(id);
    for (Operation &op : function.front())
      if (auto id = op.getAttrOfType<StringAttr>(idAttr))
        used.insert(id);
  }

  void run() {
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (!function.getArgAttr(i, idAttr))
        function.setArgAttr(i, idAttr, makeId("arg" + std::to_string(i)));
    for (Operation &op : function.front()) {
      if (!isMarked(op) || op.hasAttr(idAttr))
        continue;
      auto name = dyn_cast<NameLoc>(op.getLoc());
      if (name && !name.getName().empty()) {
        op.setAttr(idAttr, makeId(name.getName().str()));
        continue;
      }
      std::string kind = op.getName().stripDialect().str();
      op.setAttr(idAttr, makeId(kind + "_" + std::to_string(ordinals[kind]++)));
    }
  }

private:
  StringAttr makeId(const std::string &name) {
    std::string id = name;
    for (unsigned number = 2; !used.insert(id).second; ++number)
      id = name + "_" + std::to_string(number);
    return StringAttr::get(function.getContext(), id);
  }

  func::FuncOp function;
  llvm::StringSet<> used;
  llvm::StringMap<unsigned> ordinals;
};

/// Each text ends with a zero, so that no two lists of texts are one.
class Hasher {
public:
  void add(StringRef text) {
    sha.update(text);
    sha.update(StringRef("\0", 1));
  }
  void add(Attribute id) {
    auto text = dyn_cast_or_null<StringAttr>(id);
    add(text ? text.getValue() : StringRef());
  }
  void add(Type type) {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << type;
    add(os.str());
  }
  void addConstant(ElementsAttr elements) {
    add(elements.getShapedType());
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements)) {
      if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
        add(toText(blob->getData()));
      return;
    }
    auto dense = dyn_cast<DenseElementsAttr>(elements);
    if (!dense)
      return;
    ArrayRef<char> raw = dense.getRawData();
    if (!dense.isSplat())
      return add(toText(raw));
    std::string all;
    for (int64_t i = 0; i < dense.getNumElements(); ++i)
      all += toText(raw);
    add(all);
  }
  std::string finish() { return llvm::toHex(sha.final(), /*LowerCase=*/true); }

private:
  static StringRef toText(ArrayRef<char> bytes) {
    return {bytes.data(), bytes.size()};
  }

  llvm::SHA256 sha;
};

struct MarkValues final : impl::MarkValuesBase<MarkValues> {
  using impl::MarkValuesBase<MarkValues>::MarkValuesBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (keep && module->hasAttr(hashAttr))
      return;
    Hasher hash;
    for (func::FuncOp function : module.getOps<func::FuncOp>()) {
      if (function.isDeclaration())
        continue;
      Marker(function).run();
      hash.add(function.getName());
      addFunction(hash, function);
    }
    module->setAttr(hashAttr, StringAttr::get(&getContext(), hash.finish()));
  }

  static void addFunction(Hasher &hash, func::FuncOp function) {
    for (unsigned i = 0; i < function.getNumArguments(); ++i) {
      hash.add(function.getArgAttr(i, idAttr));
      hash.add(function.getArgumentTypes()[i]);
    }
    function.walk([&](Operation *op) {
      if (op == function)
        return;
      hash.add(op->getAttr(idAttr));
      for (Type type : op->getResultTypes())
        hash.add(type);
      for (NamedAttribute attr : op->getAttrs())
        if (auto elements = dyn_cast<ElementsAttr>(attr.getValue()))
          hash.addConstant(elements);
    });
  }
};

} // namespace
} // namespace mlir::qopt
