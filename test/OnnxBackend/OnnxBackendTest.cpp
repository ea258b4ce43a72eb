// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs each backend test in scope, in float and as integers. A test that is
// refused, or has no integer form, must stand in expectations.txt with a
// reason, and a test that stands there must not pass. `--page FILE` writes
// docs/conformance.md.

#include "Page.h"
#include "Scope.h"
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>
#include <sstream>

using namespace qopt_test;

/// Where `--page` wants the page.
static std::string pagePath;

/// `name reason` a line; `#` starts a comment.
static std::map<std::string, std::string> readExpectations() {
  std::map<std::string, std::string> expectations;
  std::ifstream stream(QOPT_ONNX_EXPECTATIONS);
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    size_t space = line.find(' ');
    std::string reason =
        space == std::string::npos ? "" : line.substr(space + 1);
    EXPECT_FALSE(reason.empty()) << "no reason for " << line;
    EXPECT_TRUE(expectations.emplace(line.substr(0, space), reason).second)
        << "listed twice: " << line;
  }
  return expectations;
}

/// All tests in scope.
static std::vector<BackendCase> readCases() {
  std::vector<BackendCase> cases;
  for (const char *folder :
       {"node", "simple", "pytorch-converted", "pytorch-operator"})
    for (BackendCase &test : readBackendCases(QOPT_ONNX_TESTDATA, folder))
      if (isInScope(test))
        cases.push_back(std::move(test));
  return cases;
}

/// What keeps a test from passing; empty if it passes.
static std::string findFault(const Outcome &outcome) {
  using Form = IntegerForm::Verdict;
  if (outcome.verdict == Verdict::Wrong)
    return "wrong: " + outcome.text;
  if (outcome.verdict == Verdict::Refused)
    return "refused: " + outcome.text;
  if (outcome.integers.verdict == Form::Wrong)
    return "wrong as integers: " + outcome.integers.text;
  if (outcome.integers.verdict == Form::Far)
    return "as integers " + outcome.integers.text;
  if (outcome.integers.verdict == Form::Refused)
    return "refused as integers: " + outcome.integers.text;
  return "";
}

static void checkOutcome(const BackendCase &test, const Outcome &outcome,
                         bool isListed) {
  std::string fault = findFault(outcome);
  EXPECT_FALSE(fault.empty() && isListed)
      << test.name << " passes; take it off the list";
  EXPECT_TRUE(fault.empty() || isListed) << test.name << " " << fault;
  EXPECT_TRUE(outcome.verdict != Verdict::Wrong &&
              outcome.integers.verdict != IntegerForm::Verdict::Wrong)
      << test.name << " is " << fault;
}

static void checkPage(const std::string &page) {
  if (!pagePath.empty()) {
    std::ofstream(pagePath) << page;
    return;
  }
  std::ifstream stream(QOPT_CONFORMANCE_PAGE);
  std::stringstream kept;
  kept << stream.rdbuf();
  EXPECT_TRUE(kept.str() == page) << QOPT_CONFORMANCE_PAGE
      " is of another day; run QoptOnnxBackendTests --page docs/conformance.md";
}

TEST(OnnxBackend, ListedTestsFailAndAllOthersPass) {
  std::vector<BackendCase> cases = readCases();
  if (cases.empty())
    GTEST_SKIP() << "skipped: apt-get install libonnx-testdata";
  const std::map<std::string, std::string> expectations = readExpectations();
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  loadDialects(context);
  std::vector<CaseResult> results;
  std::set<std::string> unused;
  for (const auto &[name, reason] : expectations)
    unused.insert(name);
  int passed = 0, refused = 0, wrong = 0;
  const bool isVerbose = std::getenv("QOPT_VERBOSE") != nullptr;
  for (const BackendCase &test : cases) {
    Outcome outcome = runCase(test, context);
    checkOutcome(test, outcome, unused.erase(test.name) != 0);
    passed += findFault(outcome).empty();
    refused += outcome.verdict == Verdict::Refused;
    wrong += outcome.verdict == Verdict::Wrong;
    if (isVerbose && outcome.verdict == Verdict::Passed)
      std::cout << test.name << " steps " << outcome.integers.steps << " of "
                << outcome.integers.bound << "\n";
    results.push_back({&test, std::move(outcome)});
  }
  for (const std::string &name : unused)
    ADD_FAILURE() << name << " is listed, but no test in scope";
  checkPage(makePage(results, expectations));
  std::cout << "ONNX backend tests in scope " << cases.size() << ", passed "
            << passed
            << " (float and integers), refused with the operator's name "
            << refused << ", wrong " << wrong << "\n";
}

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc == 3 && std::string(argv[1]) == "--page")
    pagePath = argv[2];
  return RUN_ALL_TESTS();
}
