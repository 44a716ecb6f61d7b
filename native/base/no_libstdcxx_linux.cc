// What the addon's C++ needs of a C++ library, so that the shipped binary links none: one that
// links libstdc++ loads only beside that library's version or a newer one, and not at all with
// musl. Not in what node-gyp builds here.
#ifdef LIMIQUANTIX_NO_LIBSTDCXX

#include <cstdlib>
#include <memory>
#include <new>

void* operator new(std::size_t bytes) {
  void* const memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();  // as with exceptions off
  return memory;
}
void* operator new[](std::size_t bytes) { return operator new(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace std {

[[noreturn]] void __throw_bad_alloc() { abort(); }
[[noreturn]] void __throw_bad_array_new_length() { abort(); }
[[noreturn]] void __throw_bad_function_call() { abort(); }
[[noreturn]] void __throw_length_error(const char*) { abort(); }
[[noreturn]] void __throw_logic_error(const char*) { abort(); }
[[noreturn]] void __throw_out_of_range_fmt(const char*, ...) { abort(); }

/// Asked without type information only, and then there is another way.
bool _Sp_make_shared_tag::_S_eq(const type_info&) noexcept { return false; }

}  // namespace std

extern "C" {

[[noreturn]] void __cxa_pure_virtual() { std::abort(); }
/// glibc has it since 2.32; without it libstdc++'s shared_ptr would count without atomics. There
/// are threads.
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}

#endif
