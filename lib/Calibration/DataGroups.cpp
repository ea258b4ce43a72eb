// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the files that a data path stands for, in the order of sample ids.

#include "qopt/Calibration/DataFormats.h"
#include "qopt/Calibration/DataSources.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

using Groups = std::vector<SampleGroup>;

namespace {

/// The entries of a folder, sorted.
struct Listing {
  std::vector<std::string> files;
  std::vector<std::string> folders;

  std::vector<std::string> withSuffix(llvm::StringRef suffix) const {
    std::vector<std::string> found;
    llvm::copy_if(files, std::back_inserter(found),
                  [&](llvm::StringRef name) { return name.ends_with(suffix); });
    return found;
  }
};

} // namespace

bool calibration::isAnswerName(llvm::StringRef name) {
  return name == "label" || name == "ref" || name.starts_with("ref_");
}

llvm::Expected<std::unique_ptr<ArrayReader>> ArrayLocation::open() const {
  if (memory) {
    std::string name = path;
    if (!memory->name.empty())
      name += " for '" + memory->name + "'";
    return ArrayReader::create(makeBorrowedBytes(name, memory->bytes),
                               {memory->kind, false, memory->shape, 0});
  }
  if (!raw)
    return member.empty() ? openArrayFile(path) : openNpzArray(path, member);
  auto bytes = openFileBytes(path);
  if (!bytes)
    return bytes.takeError();
  return ArrayReader::create(std::move(*bytes), *raw);
}

llvm::Expected<Groups>
calibration::parseRawSpec(llvm::StringRef spec,
                          llvm::ArrayRef<InputSpec> inputs) {
  llvm::SmallVector<llvm::StringRef, 4> parts;
  spec.split(parts, ':', 3);
  ArrayInfo info;
  bool valid = parts.size() == 4 && parts[0] == "raw" && !parts[3].empty();
  bool known = false;
  for (int kind = 0; valid && kind <= int(ElementKind::Bool); ++kind)
    if (elementName(ElementKind(kind)) == parts[1]) {
      info.kind = ElementKind(kind);
      known = true;
    }
  for (llvm::StringRef dim : llvm::split(valid ? parts[2] : "", 'x'))
    valid &= !dim.getAsInteger(10, info.shape.emplace_back()) &&
             info.shape.back() > 0;
  if (!valid || !known)
    return makeError(141, ("data '" + spec + "' is not valid").str(), {},
                     "write raw:TYPE:SHAPE:FILE, for example "
                     "raw:u8:100x28x28:images.bin; types are f32, f64, f16, "
                     "bf16, i8 to i64, u8 to u64, bool");
  if (inputs.size() != 1)
    return makeError(445, "raw data are for one input, but the model has " +
                              std::to_string(inputs.size()),
                     {}, "store the samples as .npz, one array an input");
  SampleGroup group;
  group.arrays.push_back({parts[3].str(), "", info});
  return Groups{group};
}

static std::string joinPath(llvm::StringRef folder, llvm::StringRef name) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name);
  return std::string(path);
}

/// Numbers by value, so that test_data_set_10 comes after test_data_set_9.
static bool earlier(llvm::StringRef a, llvm::StringRef b) {
  int order = a.compare_numeric(b);
  return order != 0 ? order < 0 : a < b;
}

static llvm::Expected<Listing> listFolder(llvm::StringRef path) {
  Listing listing;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(path, error), end;
       it != end && !error; it.increment(error)) {
    std::string name = llvm::sys::path::filename(it->path()).str();
    bool isFolder = llvm::sys::fs::is_directory(it->path());
    (isFolder ? listing.folders : listing.files).push_back(std::move(name));
  }
  if (error)
    return makeError(441,
                     ("cannot list '" + path + "': " + error.message()).str(),
                     {}, "check the path");
  llvm::sort(listing.files, earlier);
  llvm::sort(listing.folders, earlier);
  return listing;
}

static std::string quotedList(llvm::ArrayRef<std::string> names) {
  constexpr size_t kShown = 12;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i)
    text += (i ? ", '" : "'") + names[i] + "'";
  if (names.size() > kShown)
    text += " and " + std::to_string(names.size() - kShown) + " more";
  return text.empty() ? "nothing" : text;
}

static std::string inputNames(llvm::ArrayRef<InputSpec> inputs) {
  std::vector<std::string> names;
  for (const InputSpec &input : inputs)
    names.push_back(input.name);
  return quotedList(names);
}

/// Finds each input in `names`. A single input takes the only name that is not
/// an answer, whatever it is.
static std::optional<std::vector<std::string>>
assignNames(llvm::ArrayRef<std::string> names,
            llvm::ArrayRef<InputSpec> inputs) {
  std::vector<std::string> assigned;
  for (const InputSpec &input : inputs)
    if (llvm::is_contained(names, input.name))
      assigned.push_back(input.name);
  if (assigned.size() == inputs.size())
    return assigned;
  std::vector<std::string> others;
  llvm::copy_if(names, std::back_inserter(others),
                [](llvm::StringRef name) { return !isAnswerName(name); });
  if (inputs.size() == 1 && others.size() == 1)
    return others;
  return std::nullopt;
}

static llvm::Expected<SampleGroup> npzGroup(const std::string &path,
                                            llvm::ArrayRef<InputSpec> inputs) {
  auto names = listNpzArrays(path);
  if (!names)
    return names.takeError();
  auto assigned = assignNames(*names, inputs);
  if (!assigned)
    return makeError(445,
                     "'" + path + "' expects one array an input, " +
                         inputNames(inputs) + ", but has " + quotedList(*names),
                     {},
                     "name the arrays: numpy.savez(file, **{'" +
                         inputs.front().name + "': array})");
  SampleGroup group;
  for (std::string &name : *assigned)
    group.arrays.push_back({path, std::move(name)});
  return group;
}

/// The file name an input's `.npy` has: '/' cannot be in one.
static std::string fileNameOf(llvm::StringRef input) {
  std::string name = input.str();
  llvm::replace(name, '/', '_');
  return name;
}

static std::optional<SampleGroup> npyGroup(llvm::StringRef folder,
                                           const Listing &listing,
                                           llvm::ArrayRef<InputSpec> inputs) {
  std::vector<std::string> names = listing.withSuffix(".npy");
  for (std::string &name : names)
    name.resize(name.size() - 4);
  std::vector<InputSpec> renamed(inputs.begin(), inputs.end());
  for (InputSpec &input : renamed)
    input.name = fileNameOf(input.name);
  auto assigned = assignNames(names, renamed);
  if (!assigned)
    return std::nullopt;
  SampleGroup group;
  for (const std::string &name : *assigned)
    group.arrays.push_back({joinPath(folder, name + ".npy"), ""});
  return group;
}

/// A folder with input_0.pb, input_1.pb, ...: the graph's inputs in order.
static llvm::Expected<SampleGroup>
protoGroup(const std::string &folder, llvm::ArrayRef<InputSpec> inputs) {
  SampleGroup group;
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::string path = joinPath(folder, "input_" + std::to_string(i) + ".pb");
    if (!llvm::sys::fs::exists(path))
      return makeError(445,
                       "'" + folder + "' has no 'input_" + std::to_string(i) +
                           ".pb', which is expected for input '" +
                           inputs[i].name + "'",
                       {"the model's inputs in order: " + inputNames(inputs)},
                       "add the file or leave the folder out");
    group.arrays.push_back({std::move(path), ""});
  }
  return group;
}

static llvm::Expected<Groups> folderGroups(llvm::StringRef folder,
                                           llvm::ArrayRef<InputSpec> inputs) {
  auto listing = listFolder(folder);
  if (!listing)
    return listing.takeError();
  if (auto group = npyGroup(folder, *listing, inputs))
    return Groups{std::move(*group)};

  Groups groups;
  auto add = [&](llvm::Expected<SampleGroup> group) -> llvm::Error {
    if (!group)
      return group.takeError();
    groups.push_back(std::move(*group));
    return llvm::Error::success();
  };
  for (const std::string &name : listing->withSuffix(".npz"))
    if (llvm::Error error = add(npzGroup(joinPath(folder, name), inputs)))
      return std::move(error);
  if (groups.empty() && llvm::is_contained(listing->files, "input_0.pb"))
    if (llvm::Error error = add(protoGroup(folder.str(), inputs)))
      return std::move(error);
  if (groups.empty())
    for (const std::string &name : listing->folders)
      if (llvm::StringRef(name).starts_with("test_data_set_"))
        if (llvm::Error error = add(protoGroup(joinPath(folder, name), inputs)))
          return std::move(error);
  if (!groups.empty())
    return groups;

  std::vector<std::string> found = listing->files;
  found.insert(found.end(), listing->folders.begin(), listing->folders.end());
  return makeError(445,
                   ("folder '" + folder + "' expects data for " +
                    inputNames(inputs) + ", but has " + quotedList(found))
                       .str(),
                   {"known are <input>.npy, *.npz and "
                    "test_data_set_*/input_*.pb; an IDX file is named itself"},
                   "add '" + fileNameOf(inputs.front().name) +
                       ".npy' to the folder, or name one file");
}

llvm::Expected<Groups>
calibration::findSampleGroups(llvm::StringRef path,
                              llvm::ArrayRef<InputSpec> inputs) {
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return makeError(
        441, ("cannot read data '" + path + "': " + error.message()).str(), {},
        "check the path");
  if (llvm::sys::fs::is_directory(status))
    return folderGroups(path, inputs);
  auto isZip = isZipFile(path);
  if (!isZip)
    return isZip.takeError();
  if (*isZip) {
    auto group = npzGroup(path.str(), inputs);
    if (!group)
      return group.takeError();
    return Groups{std::move(*group)};
  }
  if (inputs.size() != 1)
    return makeError(445,
                     ("'" + path + "' is one array, but the model has " +
                      llvm::Twine(inputs.size()) +
                      " inputs: " + inputNames(inputs))
                         .str(),
                     {}, "give an .npz or a folder with one array an input");
  SampleGroup group;
  group.arrays.push_back({path.str(), ""});
  return Groups{std::move(group)};
}
