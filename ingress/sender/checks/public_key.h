// SPDX-License-Identifier: MIT
// Signatures that a provider makes with a key of its own: ECDSA on P-256 with SHA-256 (RFC 5480, RFC 3279 for
// the signature) and Ed25519 (RFC 8032). A secret then holds the provider's public key. Thread: any.
#pragma once
#include "common/config/secrets.h"

enum public_key_kind { PUBLIC_KEY_NONE, PUBLIC_KEY_P256, PUBLIC_KEY_ED25519 };
// "ecdsa_p256_sha256", "ed25519"; NONE for any other name.
enum public_key_kind public_key_kind_of(const char *algorithm);

// Replaces base64 by the key that it stands for: the DER of a SubjectPublicKeyInfo; of Ed25519 also its 32
// bytes alone. False: it is none of that kind.
MUST_CHECK bool public_key_open(struct secret *secret, enum public_key_kind kind, struct err *err);
// The pieces one behind the other: OpenSSL checks Ed25519 only of a text in one piece. New.
char *public_key_text(const struct piece *pieces, size_t n, size_t *len);
// Whether one of the keys has made the signature, which is base64, of that text. False also where memory is
// lacking.
MUST_CHECK bool public_keys_hold(const struct secrets *keys, enum public_key_kind kind, struct piece text,
                                 const char *signature, size_t len);
