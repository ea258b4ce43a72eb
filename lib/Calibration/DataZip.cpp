// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NPZ archives through libzip, one member at a time, never whole in memory.

#include "qopt/Calibration/DataFormats.h"
#include "qopt/Calibration/DataStream.h"
#include "qopt/Support/Error.h"
#include <zip.h>

using namespace mlir::qopt;
using namespace mlir::qopt::calibration;

namespace {

struct ArchiveCloser {
  void operator()(zip_t *archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, ArchiveCloser>;

struct MemberCloser {
  void operator()(zip_file_t *member) const { zip_fclose(member); }
};
using Member = std::unique_ptr<zip_file_t, MemberCloser>;

} // namespace

static llvm::Error badMember(const std::string &name, const std::string &why) {
  return makeError(442, "'" + name + "' cannot be read: " + why, {},
                   "the archive is damaged; copy or write it again with "
                   "numpy.savez");
}

namespace {

/// What stored and deflated members share: the archive and the open member.
struct OpenMember {
  Archive archive;
  Member file;
  uint64_t index = 0;
  uint64_t size = 0;

  llvm::Error reopen(const std::string &name) {
    file.reset(zip_fopen_index(archive.get(), index, 0));
    if (file)
      return llvm::Error::success();
    return badMember(name, zip_strerror(archive.get()));
  }

  llvm::Expected<size_t> readSome(const std::string &name,
                                  llvm::MutableArrayRef<char> bytes) {
    zip_int64_t got = zip_fread(file.get(), bytes.data(), bytes.size());
    if (got < 0)
      return badMember(name, zip_file_strerror(file.get()));
    return got;
  }
};

/// A deflated member: forward only.
class DeflatedBytes : public SequentialSource {
public:
  DeflatedBytes(std::string name, OpenMember member)
      : SequentialSource(std::move(name)), member(std::move(member)) {}

  std::optional<uint64_t> size() const override { return member.size; }

protected:
  llvm::Error restart() override { return member.reopen(getName()); }
  llvm::Expected<size_t> readSome(llvm::MutableArrayRef<char> bytes) override {
    return member.readSome(getName(), bytes);
  }

private:
  OpenMember member;
};

/// A stored member: any position costs the same.
class StoredBytes : public ByteSource {
public:
  StoredBytes(std::string name, OpenMember member)
      : ByteSource(std::move(name)), member(std::move(member)) {}

  std::optional<uint64_t> size() const override { return member.size; }

  llvm::Error read(uint64_t offset,
                   llvm::MutableArrayRef<char> bytes) override {
    if (!member.file)
      if (llvm::Error error = member.reopen(getName()))
        return error;
    // Reading on without a seek lets libzip check the member's checksum.
    if (zip_ftell(member.file.get()) != static_cast<zip_int64_t>(offset) &&
        zip_fseek(member.file.get(), offset, SEEK_SET) != 0)
      return badMember(getName(),
                       "byte " + std::to_string(offset) + " cannot be reached");
    while (!bytes.empty()) {
      auto got = member.readSome(getName(), bytes);
      if (!got)
        return got.takeError();
      if (*got == 0)
        return badMember(getName(), "it ends early");
      bytes = bytes.drop_front(*got);
    }
    return llvm::Error::success();
  }

  llvm::Error finish(uint64_t) override {
    char excess;
    auto got = member.readSome(getName(), {&excess, 1});
    return got ? llvm::Error::success() : got.takeError();
  }

private:
  OpenMember member;
};

} // namespace

static llvm::Expected<Archive> openArchive(llvm::StringRef path,
                                           uint64_t &fileSize) {
  auto size = regularFileSize(path);
  if (!size)
    return size.takeError();
  fileSize = *size;
  int code = 0;
  Archive archive(zip_open(path.str().c_str(), ZIP_RDONLY, &code));
  if (archive)
    return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  return badMember(path.str(), why);
}

llvm::Expected<bool> calibration::isZipFile(llvm::StringRef path) {
  auto source = openFileBytes(path);
  if (!source)
    return source.takeError();
  char magic[4] = {};
  if ((*source)->size().value_or(0) < sizeof(magic))
    return false;
  if (llvm::Error error = (*source)->read(0, magic))
    return std::move(error);
  llvm::StringRef start(magic, 4);
  return start == "PK\x03\x04" || start == "PK\x05\x06";
}

llvm::Expected<std::vector<std::string>>
calibration::listNpzArrays(llvm::StringRef path) {
  uint64_t fileSize;
  auto archive = openArchive(path, fileSize);
  if (!archive)
    return archive.takeError();
  std::vector<std::string> names;
  zip_int64_t count = zip_get_num_entries(archive->get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char *entry = zip_get_name(archive->get(), i, ZIP_FL_ENC_RAW);
    llvm::StringRef name = entry ? entry : "";
    if (name.consume_back(".npy"))
      names.push_back(name.str());
  }
  return names;
}

llvm::Expected<std::unique_ptr<ArrayReader>>
calibration::openNpzArray(llvm::StringRef path, llvm::StringRef name) {
  std::string shown = (path + ":" + name).str();
  uint64_t fileSize;
  auto archive = openArchive(path, fileSize);
  if (!archive)
    return archive.takeError();
  zip_int64_t index = zip_name_locate(
      archive->get(), (name + ".npy").str().c_str(), ZIP_FL_ENC_RAW);
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (index < 0 || zip_stat_index(archive->get(), index, 0, &stat) != 0)
    return badMember(shown, "the archive has no such array");
  constexpr zip_uint64_t kNeeded =
      ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if ((stat.valid & kNeeded) != kNeeded ||
      stat.encryption_method != ZIP_EM_NONE)
    return badMember(shown, "it is encrypted or its sizes are unknown");
  bool stored = stat.comp_method == ZIP_CM_STORE;
  if (!stored && stat.comp_method != ZIP_CM_DEFLATE)
    return badMember(shown, "its compression is neither stored nor deflated");
  if (stat.comp_size > fileSize ||
      stat.size >
          (stored ? stat.comp_size : maximumInflatedSize(stat.comp_size)))
    return badMember(shown, "it claims " + std::to_string(stat.size) +
                                " bytes, which its " +
                                std::to_string(stat.comp_size) +
                                " stored bytes cannot hold");
  OpenMember member;
  member.archive = std::move(*archive);
  member.index = index;
  member.size = stat.size;
  std::unique_ptr<ByteSource> source;
  if (stored)
    source = std::make_unique<StoredBytes>(shown, std::move(member));
  else
    source = std::make_unique<DeflatedBytes>(shown, std::move(member));
  auto info = parseNpyHeader(*source);
  if (!info)
    return info.takeError();
  return ArrayReader::create(std::move(source), std::move(*info));
}
