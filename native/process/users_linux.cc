#include <grp.h>
#include <pwd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/detached_thread.h"
#include "base/instance_data.h"
#include "base/napi_error.h"
#include "base/wake.h"
#include "process/process.h"
#include "process/spawn_options_linux.h"

namespace limiquantix {
namespace {

constexpr int kMaxLookups = 8;
constexpr size_t kFirstBufferBytes = 4 * 1024;
constexpr size_t kMaxBufferBytes = 1024 * 1024;
// NGROUPS_MAX of the kernel.
constexpr size_t kMaxGroups = 65536;
// Modules of the name service were written for the usual stack of 8 MiB; only what is used counts.
constexpr size_t kStackBytes = 1024 * 1024;

/// What is asked for: a name, or an id when that is set.
struct Key {
  bool is_id = false;
  uid_t id = 0;
  std::string name;
};

/// A user or a group; a group has neither home nor shell nor groups.
struct Record {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home, shell;
  std::vector<gid_t> groups;
};

struct Answer {
  SysError error{0, nullptr};
  std::unique_ptr<Record> record;  ///< null: there is none
};

using Ask = Answer (*)(const Key& key);

/// Calls `get` with larger and larger buffers. The entry points into *buffer; null: there is none.
template <typename Entry, typename Get>
Result<Entry*> GetEntry(const char* syscall, Entry* storage, std::vector<char>* buffer, Get get) {
  buffer->resize(kFirstBufferBytes);
  for (;;) {
    Entry* entry = nullptr;
    const int error = get(storage, buffer->data(), buffer->size(), &entry);
    if (error == 0 || error == ENOENT || error == ESRCH) return entry;
    if (error == EINTR) continue;
    if (error != ERANGE || buffer->size() >= kMaxBufferBytes) return SysError{error, syscall};
    buffer->resize(buffer->size() * 2);
  }
}

/// All groups of a user, the primary one included.
bool GetGroups(const char* name, gid_t primary, std::vector<gid_t>* groups) {
  for (size_t room = 64; room <= kMaxGroups; room *= 2) {
    groups->resize(room);
    int count = static_cast<int>(room);
    if (::getgrouplist(name, primary, groups->data(), &count) >= 0) {
      groups->resize(static_cast<size_t>(count));
      return true;
    }
  }
  return false;
}

Answer AskForUser(const Key& key) {
  passwd storage;
  std::vector<char> buffer;
  Result<passwd*> found =
      key.is_id ? GetEntry("getpwuid_r", &storage, &buffer,
                           [&](passwd* entry, char* data, size_t bytes, passwd** result) {
                             return ::getpwuid_r(key.id, entry, data, bytes, result);
                           })
                : GetEntry("getpwnam_r", &storage, &buffer,
                           [&](passwd* entry, char* data, size_t bytes, passwd** result) {
                             return ::getpwnam_r(key.name.c_str(), entry, data, bytes, result);
                           });
  Answer answer;
  if (!found.ok()) {
    answer.error = found.error();
  } else if (const passwd* entry = found.value(); entry != nullptr) {
    answer.record.reset(new Record{
        entry->pw_name, entry->pw_uid, entry->pw_gid, entry->pw_dir, entry->pw_shell, {}});
    if (!GetGroups(entry->pw_name, entry->pw_gid, &answer.record->groups)) {
      answer.error = SysError{ERANGE, "getgrouplist"};
    }
  }
  return answer;
}

Answer AskForGroup(const Key& key) {
  group storage;
  std::vector<char> buffer;
  Result<group*> found =
      key.is_id ? GetEntry("getgrgid_r", &storage, &buffer,
                           [&](group* entry, char* data, size_t bytes, group** result) {
                             return ::getgrgid_r(key.id, entry, data, bytes, result);
                           })
                : GetEntry("getgrnam_r", &storage, &buffer,
                           [&](group* entry, char* data, size_t bytes, group** result) {
                             return ::getgrnam_r(key.name.c_str(), entry, data, bytes, result);
                           });
  Answer answer;
  if (!found.ok()) {
    answer.error = found.error();
  } else if (const group* entry = found.value(); entry != nullptr) {
    answer.record.reset(new Record{entry->gr_name, 0, entry->gr_gid, {}, {}, {}});
  }
  return answer;
}

Napi::Value UserToJs(Napi::Env env, const Record& record) {
  Napi::Object user = Napi::Object::New(env);
  user.Set("name", Napi::String::New(env, record.name));
  user.Set("uid", Napi::Number::New(env, record.uid));
  user.Set("gid", Napi::Number::New(env, record.gid));
  user.Set("home", Napi::String::New(env, record.home));
  user.Set("shell", Napi::String::New(env, record.shell));
  Napi::Array groups = Napi::Array::New(env, record.groups.size());
  for (size_t i = 0; i < record.groups.size(); ++i) {
    groups.Set(static_cast<uint32_t>(i), Napi::Number::New(env, record.groups[i]));
  }
  user.Set("groups", groups);
  return user;
}

Napi::Value GroupToJs(Napi::Env env, const Record& record) {
  Napi::Object group = Napi::Object::New(env);
  group.Set("name", Napi::String::New(env, record.name));
  group.Set("gid", Napi::Number::New(env, record.gid));
  return group;
}

/// A question on its way, as its thread sees it. The thread may be held up for ever by a directory
/// server that does not answer, and outlive whoever asked.
struct Question {
  Ask ask;
  Key key;
  Answer answer;  // the thread's, until the wake
  std::shared_ptr<Wake> wake;
};

/// The same as JavaScript's side sees it. Deletes itself when it is settled, or when the
/// environment ends.
class Lookup {
 public:
  using ToJs = Napi::Value (*)(Napi::Env env, const Record& record);

  static Napi::Value Start(Napi::Env env, Key key, Ask ask, ToJs to_js) {
    std::unique_ptr<Lookup> lookup(new Lookup(env, to_js));
    napi_value promise = nullptr;
    if (napi_create_promise(env, &lookup->deferred_, &promise) != napi_ok) {
      return env.Undefined();  // a worker that is being terminated
    }
    if (int error = lookup->Run(std::move(key), ask); error != 0) {
      const Napi::Error reason = NodeError(env, SysError{error, "lookup"});
      napi_reject_deferred(env, lookup->deferred_, reason.Value());
    } else {
      lookup.release();
    }
    return Napi::Value(env, promise);
  }

 private:
  Lookup(Napi::Env env, ToJs to_js)
      : env_(env), context_(env, "limiquantix.Lookup"), to_js_(to_js) {}

  int Run(Key key, Ask ask) {
    const std::shared_ptr<std::atomic<int>> lookups = env_.GetInstanceData<InstanceData>()->lookups;
    if (*lookups >= kMaxLookups) return EAGAIN;
    Result<std::shared_ptr<Wake>> wake = Wake::Create(env_, this, OnWake, OnEnvironmentEnd);
    if (!wake.ok()) return wake.error().code;
    question_ = std::make_shared<Question>();
    question_->ask = ask;
    question_->key = std::move(key);
    question_->wake = wake.value();
    ++*lookups;
    const auto body = [question = question_, lookups] {
      question->answer = question->ask(question->key);
      --*lookups;
      question->wake->Send();
    };
    const int error = StartDetachedThread("lqx-lookup", kStackBytes, body);
    if (error == 0) return 0;
    --*lookups;
    question_->wake->Close();
    return error;
  }

  static void OnWake(void* owner) {
    const std::unique_ptr<Lookup> lookup(static_cast<Lookup*>(owner));
    lookup->question_->wake->Close();
    Napi::Env env = lookup->env_;
    const Answer& answer = lookup->question_->answer;
    Napi::HandleScope handles(env);
    Napi::CallbackScope scope(env, lookup->context_);  // runs the promise's reactions at its end
    if (answer.error.code != 0) {
      const Napi::Error reason = NodeError(env, answer.error);
      napi_reject_deferred(env, lookup->deferred_, reason.Value());
    } else {
      const Napi::Value value =
          answer.record ? lookup->to_js_(env, *answer.record) : env.Undefined();
      napi_resolve_deferred(env, lookup->deferred_, value);
    }
  }

  static void OnEnvironmentEnd(void* owner) { delete static_cast<Lookup*>(owner); }

  Napi::Env env_;
  Napi::AsyncContext context_;
  const ToJs to_js_;
  napi_deferred deferred_ = nullptr;
  std::shared_ptr<Question> question_;
};

Napi::Value LookUp(const Napi::CallbackInfo& info, Ask ask, Lookup::ToJs to_js) {
  Key key;
  key.is_id = ReadId(info[0], &key.id);
  if (key.is_id || ReadString(info[0], &key.name)) {
    return Lookup::Start(info.Env(), std::move(key), ask, to_js);
  }
  Napi::TypeError::New(info.Env(), "a name without NUL, or an id below 4294967295")
      .ThrowAsJavaScriptException();
  return info.Env().Undefined();
}

Napi::Value LookupUser(const Napi::CallbackInfo& info) {
  return LookUp(info, AskForUser, UserToJs);
}

Napi::Value LookupGroup(const Napi::CallbackInfo& info) {
  return LookUp(info, AskForGroup, GroupToJs);
}

}  // namespace

void RegisterUsers(Napi::Env env, Napi::Object exports) {
  exports.Set("lookupUser", Napi::Function::New<LookupUser>(env, "lookupUser"));
  exports.Set("lookupGroup", Napi::Function::New<LookupGroup>(env, "lookupGroup"));
}

}  // namespace limiquantix
