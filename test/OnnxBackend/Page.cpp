// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts and prints; nothing here depends on the machine.

#include "Page.h"
#include <iomanip>
#include <set>
#include <sstream>

namespace qopt_test {
namespace {

struct Counts {
  int inScope = 0, passed = 0, refused = 0, wrong = 0;
  /// Of the passed: run as integers; computed at compile time.
  int integers = 0, constants = 0;
  /// The float model passes, the integer form does not.
  int floatOnly = 0;
  std::set<std::string> reasons;
  /// The largest distance in steps of tests of this operator alone, and what
  /// that test allows.
  double steps = 0, bound = 0;

  void addSteps(const IntegerForm &form) {
    if (form.verdict == IntegerForm::Verdict::Passed &&
        (bound == 0 || form.steps > steps)) {
      steps = form.steps;
      bound = form.bound;
    }
  }

  void add(const Outcome &outcome) {
    using Form = IntegerForm::Verdict;
    Form form = outcome.integers.verdict;
    bool isRight = outcome.verdict == Verdict::Passed && form != Form::Wrong;
    ++inScope;
    refused += outcome.verdict == Verdict::Refused;
    wrong += outcome.verdict != Verdict::Refused && !isRight;
    integers += isRight && form == Form::Passed;
    constants += isRight && form == Form::Constant;
    floatOnly += isRight && (form == Form::Refused || form == Form::Far);
    passed = integers + constants;
  }
};

const char *const introduction =
    R"(# Conformance

ONNX's own backend tests (Debian's `libonnx-testdata`, opsets up to 17), through
the importer, the reference evaluator and the integer compiler. This page is
written by `QoptOnnxBackendTests --page docs/conformance.md`, and `make test`
compares it.

A test is in scope where qopt promises each of its operators and its boundary is
tensors of floats, integers or bools. It has passed where

- the float model gives the expected outputs to `1e-6 + 1e-4 |expected|` (16-bit
  floats: `1e-3`), integers exactly. Inputs that carry shapes, parameters,
  weights or integers are bound as constants; bools enter, integers and bools
  leave as floats;
- unless all of it is computed while the model is read, its integer form,
  calibrated on the test's own inputs, compiled and run, gives Reference's
  bytes, and these are near the float model's result for inputs and weights as 8
  bits hold them: within 0.51 steps of the output for each rounding on the way.

The largest error of an operator is over the tests of that operator alone, in steps of
the output, with what that test allows.

"Float only": the second does not hold. Models of opsets before 7 are read as
opset 7. Six tests of windows (Hann, Hamming, Blackman) written out are out of
scope: what they expect was computed with 3.1415 for pi.
)";

void printCounts(std::ostream &os, const std::string &name,
                 const Counts &counts) {
  os << "| " << name << " | " << counts.inScope << " | " << counts.passed
     << " | " << counts.refused << " | " << counts.wrong << " | "
     << counts.floatOnly << " | " << counts.integers << " | "
     << counts.constants << " |\n";
}

/// Whether a refusal is that of `op`.
bool isToBlame(const std::string &op, const CaseResult &result) {
  const std::string &refused = result.outcome.refusedOperator;
  return refused == op ||
         (refused.empty() && result.test->operators.size() == 1);
}

void printRefusals(std::ostream &os, llvm::ArrayRef<CaseResult> results,
                   const std::map<std::string, std::string> &reasons) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> rows;
  for (const CaseResult &result : results)
    if (auto reason = reasons.find(result.test->name); reason != reasons.end())
      rows[{result.outcome.refusedOperator.empty()
                ? "-"
                : result.outcome.refusedOperator,
            reason->second}]
          .push_back(result.test->name);
  os << "\n## Not passed\n\n| operator | why | tests |\n|---|---|---|\n";
  for (const auto &[key, tests] : rows) {
    os << "| " << key.first << " | " << key.second << " | ";
    for (const std::string &test : tests)
      os << (&test == &tests.front() ? "" : ", ") << test;
    os << " |\n";
  }
}

} // namespace

std::string makePage(llvm::ArrayRef<CaseResult> results,
                     const std::map<std::string, std::string> &reasons) {
  Counts all;
  std::map<std::string, Counts> folders, operators;
  for (const CaseResult &result : results) {
    const std::string &name = result.test->name;
    auto found = reasons.find(name);
    std::string reason = found == reasons.end() ? "" : found->second;
    all.add(result.outcome);
    folders[name.substr(0, name.find('/'))].add(result.outcome);
    for (const std::string &op : result.test->operators) {
      operators[op].add(result.outcome);
      if (result.test->operators.size() == 1)
        operators[op].addSteps(result.outcome.integers);
      if (!reason.empty() && isToBlame(op, result))
        operators[op].reasons.insert(reason);
    }
  }
  std::ostringstream os;
  os << introduction << "\n| folder | in scope | passed | refused | wrong | "
     << "float only | as integers | at compile time |\n"
     << "|---|---|---|---|---|---|---|---|\n";
  for (const auto &[name, counts] : folders)
    printCounts(os, name, counts);
  printCounts(os, "all", all);
  os << "\n## Operators\n\n| operator | in scope | passed | refused | "
     << "float only | as integers | at compile time | largest error | "
     << "why not |\n|---|---|---|---|---|---|---|---|---|\n";
  for (const auto &[name, counts] : operators) {
    os << "| " << name << " | " << counts.inScope << " | " << counts.passed
       << " | " << counts.refused << " | " << counts.floatOnly << " | "
       << counts.integers << " | " << counts.constants << " | ";
    if (counts.bound > 0)
      os << std::fixed << std::setprecision(3) << counts.steps << " of "
         << std::setprecision(2) << counts.bound;
    os << " | ";
    for (const std::string &reason : counts.reasons)
      os << (reason == *counts.reasons.begin() ? "" : "; ") << reason;
    os << " |\n";
  }
  printRefusals(os, results, reasons);
  return os.str();
}

} // namespace qopt_test
