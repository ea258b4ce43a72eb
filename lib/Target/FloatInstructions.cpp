// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM marks what may raise a floating-point exception. Unmarked are the forms
// with embedded rounding and x87 constants (they name a control register),
// exact conversions, reciprocal estimates, and the bfloat16, fp8 and 3DNow
// families, which raise nothing by definition; those are told by name.

#include "FloatInstructions.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/MC/MCInstrDesc.h"
#include "llvm/MC/MCRegisterInfo.h"

using namespace llvm;

namespace {

/// Parts of LLVM's opcode names that occur in no integer instruction.
constexpr StringRef floatNameParts[] = {
    "CVT",     "RCP",    "RSQRT",   "BF16",    "BF8",
    "HF8",     "TF32PS", "FP16PS",  "MINMAXP", "MINMAXS",
    "FPCLASS", "FRCZ",   "DPPHPS",  "DPPS",    "BCSTNESH2PS",
    "PI2F",    "PF2I",   "LDMXCSR", "STMXCSR"};

/// 3DNow arithmetic; the other names that begin like this are moves.
constexpr StringRef amd3DNowPrefixes[] = {"PFAC",  "PFADD", "PFCMP", "PFMAX",
                                          "PFMIN", "PFMUL", "PFNA",  "PFPN",
                                          "PFRC",  "PFRS",  "PFSUB"};

bool isFloatControl(StringRef registerName) {
  return registerName == "MXCSR" || registerName == "FPSW" ||
         registerName == "FPCW";
}

} // namespace

bool mlir::qopt::target::isFloatInstruction(const MCInstrDesc &description,
                                            StringRef opcodeName,
                                            const MCRegisterInfo &registers) {
  if (description.mayRaiseFPException())
    return true;
  auto isControl = [&](MCPhysReg reg) {
    return isFloatControl(registers.getName(reg));
  };
  if (any_of(description.implicit_uses(), isControl) ||
      any_of(description.implicit_defs(), isControl))
    return true;
  return any_of(floatNameParts,
                [&](StringRef part) { return opcodeName.contains(part); }) ||
         any_of(amd3DNowPrefixes, [&](StringRef prefix) {
           return opcodeName.starts_with(prefix);
         });
}
