#pragma once

#include <napi.h>

namespace limiquantix {

/// src/native/files.ts describes what they export.
void RegisterNames(Napi::Env env, Napi::Object exports);   // readNames, removeFiles
void RegisterPieces(Napi::Env env, Napi::Object exports);  // readPiece, writePiece, seekData
void RegisterRename(Napi::Env env, Napi::Object exports);  // renameNoReplace
void RegisterExit(Napi::Env env, Napi::Object exports);    // exitAtOnce

}  // namespace limiquantix
