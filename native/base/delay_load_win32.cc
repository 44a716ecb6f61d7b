#include <windows.h>
//
#include <delayimp.h>

#include <cstring>

// The addon imports from "node.exe", but the program that loads it may have any name: a single
// executable, or a renamed one. Whatever it is, it exports them itself.
namespace {

FARPROC WINAPI OnDelayLoad(unsigned notification, PDelayLoadInfo info) {
  if (notification != dliNotePreLoadLibrary) return nullptr;
  if (_stricmp(info->szDll, "node.exe") != 0) return nullptr;
  return reinterpret_cast<FARPROC>(GetModuleHandleW(nullptr));
}

}  // namespace

extern "C" {
PfnDliHook __pfnDliNotifyHook2 = OnDelayLoad;
}
