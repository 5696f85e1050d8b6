//! The certificates that OpenSSL made (`certificates/make.sh`), and the signatures that ring cannot make.

use std::fmt;
use std::ops::Add;
use std::sync::Arc;

use ecdsa::der::{MaxOverhead, MaxSize};
use ecdsa::elliptic_curve::array::ArraySize;
use ecdsa::elliptic_curve::ff::PrimeField;
use ecdsa::elliptic_curve::pkcs8::{AssociatedOid, DecodePrivateKey};
use ecdsa::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point, ValidatePublicKey};
use ecdsa::elliptic_curve::{
    AffinePoint, CurveArithmetic, FieldBytes, FieldBytesSize, NonZeroScalar, SecretKey,
};
use ecdsa::{EcdsaCurve, hazmat};
use ring::digest::{SHA512, digest};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::tls::TlsError;

/// A file of `certificates`: a key, its chain and the root.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fixed {
    P256,
    P384,
    P521,
    RsaPss,
    Ed448,
}

impl Fixed {
    fn pem(self) -> &'static str {
        match self {
            Fixed::P256 => include_str!("../certificates/p256.pem"),
            Fixed::P384 => include_str!("../certificates/p384.pem"),
            Fixed::P521 => include_str!("../certificates/p521.pem"),
            Fixed::RsaPss => include_str!("../certificates/rsa_pss.pem"),
            Fixed::Ed448 => include_str!("../certificates/ed448.pem"),
        }
    }

    /// What the server shows and signs with, and the root in PEM.
    pub(crate) fn load(self) -> Result<(Arc<CertifiedKey>, String), TlsError> {
        let pem = self.pem();
        let (_, root) = pem.rsplit_once("-----BEGIN").ok_or("no certificate")?;
        let mut chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        // Clients have the root.
        chain.pop();
        let key: Arc<dyn SigningKey> = match self {
            Fixed::P256 => Arc::new(EcdsaSha512::<p256::NistP256>::from_pem(pem)?),
            Fixed::P384 => Arc::new(EcdsaSha512::<p384::NistP384>::from_pem(pem)?),
            Fixed::P521 => Arc::new(EcdsaSha512::<p521::NistP521>::from_pem(pem)?),
            Fixed::RsaPss | Fixed::Ed448 => {
                rustls::crypto::ring::sign::any_ecdsa_type(&PrivateKeyDer::from_pem_slice(pem.as_bytes())?)?
            }
        };
        Ok((Arc::new(CertifiedKey::new(chain, key)), format!("-----BEGIN{root}")))
    }
}

/// A key that signs with SHA-512, whatever its curve: TLS 1.2 permits it.
struct EcdsaSha512<C: EcdsaCurve + CurveArithmetic>(NonZeroScalar<C>);

impl<C: EcdsaCurve + CurveArithmetic> EcdsaSha512<C> {
    fn from_pem(pem: &str) -> Result<EcdsaSha512<C>, TlsError>
    where
        C: AssociatedOid + ValidatePublicKey,
        AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
        FieldBytesSize<C>: ModulusSize,
    {
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())?;
        let key = SecretKey::<C>::from_pkcs8_der(key.secret_der()).map_err(|error| error.to_string())?;
        Ok(EcdsaSha512(key.to_nonzero_scalar()))
    }
}

impl<C: EcdsaCurve + CurveArithmetic> fmt::Debug for EcdsaSha512<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EcdsaSha512")
    }
}

impl<C> SigningKey for EcdsaSha512<C>
where
    C: EcdsaCurve + CurveArithmetic,
    MaxSize<C>: ArraySize,
    <FieldBytesSize<C> as Add>::Output: Add<MaxOverhead> + ArraySize,
{
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let signer: Box<dyn Signer> = Box::new(EcdsaSha512::<C>(self.0));
        offered.contains(&signer.scheme()).then_some(signer)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl<C> Signer for EcdsaSha512<C>
where
    C: EcdsaCurve + CurveArithmetic,
    MaxSize<C>: ArraySize,
    <FieldBytesSize<C> as Add>::Output: Add<MaxOverhead> + ArraySize,
{
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let failed = |what: &str| rustls::Error::General(what.to_owned());
        let mut nonce = FieldBytes::<C>::default();
        SystemRandom::new().fill(&mut nonce).map_err(|_| failed("no random bytes"))?;
        // Below the order of each curve. The key is public, so eight bits less do no harm.
        nonce.iter_mut().take(1).for_each(|first| *first = 0);
        let nonce = Option::<C::Scalar>::from(C::Scalar::from_repr(nonce));
        let nonce = nonce.and_then(|nonce| Option::from(NonZeroScalar::<C>::new(nonce)));
        let nonce = nonce.ok_or_else(|| failed("no nonce"))?;
        let message = digest(&SHA512, message);
        let (signature, _) =
            hazmat::sign_prehashed(&self.0, &nonce, message.as_ref()).map_err(|_| failed("cannot sign"))?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}
