/*
 * tls_ticket.c: sessions that clients keep and come back with (RFC 5077).
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "net/tls_context.h"
#include "state/ticket.h"

static int set_mac(EVP_MAC_CTX *mac, struct ticket_key *k)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof k->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params);
}

/* As SSL_CTX_set_tlsext_ticket_key_evp_cb(3) asks for it: 0 no such key, 1 done, 2 done and a new one is due.
 */
static int use_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                   int encrypt)
{
    struct ticket_key k;
    bool current = true;
    int done = -1;
    (void)ssl;
    if (encrypt ? !state_ticket_current(&k) : !state_ticket_find(name, &k, &current))
        return 0;
    if (encrypt) {
        memcpy(name, k.name, sizeof k.name);
        if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) == 1 &&
            EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k.cipher, iv) == 1 && set_mac(mac, &k) == 1)
            done = 1;
    } else if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k.cipher, iv) == 1 &&
               set_mac(mac, &k) == 1) {
        done = current ? 1 : 2;
    }
    OPENSSL_cleanse(&k, sizeof k);
    return done;
}

void tls_ticket_enable(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, use_key);
}
